"""The whole report; what each check finds is tested in `checks`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline.media import quality
from video_pipeline.media.checks.verdict import verdict
from video_pipeline.media.image_products import Preview
from video_pipeline.media.products import Download
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import release
from video_pipeline_tests.media.release import Made


def test_a_good_release_passes_every_check_with_its_measure(made: Made) -> None:
    report = made.inspect()
    assert report.passed
    assert [check.name for check in report.checks] == list(quality.CHECKS)
    for check in report.checks:
        assert check.passed, check
        assert re.search(r"\d", check.measured), check


@pytest.mark.parametrize(
    ("seconds", "rate"),
    [
        pytest.param(0.04, "25", id="one frame"),
        pytest.param(1, "24000/1001", id="half a GOP"),
        pytest.param(4.004, "30000/1001", id="one segment of 29.97"),
        pytest.param(9, "60", id="60 frames/s"),
        pytest.param(5, "17", id="odd rate"),
        pytest.param(8.7, "701/30", id="odd fraction"),
    ],
)
def test_good_releases_of_every_clock_pass(
    tools: Tools, make_clip: Callable[..., Path], tmp_path: Path, seconds: float, rate: str
) -> None:
    clip = make_clip("clock.mp4", seconds=seconds, size="160x90", rate=rate, cuts=False)
    assert release.make(tools, clip, tmp_path).failed() == {}


def test_a_good_release_without_sound_passes(tools: Tools, make_clip: Callable[..., Path], tmp_path: Path) -> None:
    assert release.make(tools, make_clip(seconds=2, audio=False, cuts=False), tmp_path).failed() == {}


def test_a_report_belongs_to_what_it_saw(made: Made) -> None:
    """Whatever changes in plan, manifests or pictures, the digest does."""
    fewer = made.plan.model_copy(update={"frames": 149})
    sheets = made.sprites.model_copy(update={"sheets": made.sprites.sheets[:1]})
    poster = made.thumbnails.poster.model_copy(update={"frame": 1})
    others = [
        made,
        replace(made, plan=fewer),
        replace(made, shown=made.shown.model_copy(update={"lost": 1})),
        replace(made, sprites=sheets),
        replace(made, thumbnails=made.thumbnails.model_copy(update={"poster": poster})),
        made.with_text("hls/master.m3u8", lambda text: text + "\n"),
        replace(made, streams=made.streams.model_copy(update={"media": made.streams.media[:1]})),
        replace(made, download=Download(file=made.sprites.sheets[0])),
        replace(made, preview=Preview(clip=made.sprites.sheets[0])),
    ]
    digests = {
        quality.subject_digest(
            one.plan,
            one.streams,
            one.thumbnails,
            one.sprites,
            one.shown,
            one.texts,
            one.download,
            preview=one.preview,
        )
        for one in others
    }
    assert len(digests) == len(others)
    assert made.inspect().subject_digest in digests


def test_a_verdict_names_the_first_problems_and_counts_the_rest() -> None:
    result = verdict("decodes", [(f"file {n}", f"{n} errors") for n in range(8)], "fine")
    assert not result.passed
    assert result.subject == "file 0"
    assert result.measured.startswith("file 0: 0 errors; file 1: 1 errors; ")
    assert result.measured.endswith("; and 3 more")
    assert verdict("decodes", iter(()), "fine").passed


def test_the_plan_of_a_release_is_the_one_asked_for(made: Made) -> None:
    """The faults rely on these numbers."""
    assert (made.plan.frames, made.plan.gop, made.plan.segment, made.plan.rate) == (150, 50, 100, Fraction(25))
    assert (made.sprites.tiles, len(made.sprites.sheets)) == (15, 3)
    assert [track.name for track in made.tracks] == [release.LARGE, release.SMALL, "audio-1"]
