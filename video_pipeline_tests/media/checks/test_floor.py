"""Renditions below their floor are named with time and value, whichever way the source is read; others pass."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from video_pipeline.media import vmaf
from video_pipeline.media.checks.floor import vmaf_floor
from video_pipeline.media.checks.reading import read
from video_pipeline.media.products import CheckResult
from video_pipeline.media.targets import PlannedQuality, RungQuality, Sample
from video_pipeline_tests.media.release import LARGE, SMALL, Made, run_ffmpeg

PARTS = (Sample(first=0, frames=50), Sample(first=100, frames=50))
NO_SEGMENT = (Sample(first=50, frames=50),)
"""The key frame in the middle of a segment."""


def check(
    made: Made,
    *,
    floor: float | None = 60,
    seekable: bool = True,
    parts: tuple[Sample, ...] = PARTS,
    **floors: float,
) -> CheckResult:
    """Of a release whose rungs have these floors, or none."""
    rungs = tuple(
        RungQuality(name=f"h264-{name.removeprefix('p')}p", crf=23, vmaf=90, bit_rate=1, floor=least)
        for name, least in floors.items()
    )
    quality = PlannedQuality(
        width=640, height=360, samples=parts, checked=parts, floor=floor, target=95 if floors else None, rungs=rungs
    )
    plan = made.plan.model_copy(update={"quality": quality, "seekable": seekable})
    readings = read(made.tools, made.media, {sound.name for sound in plan.audio})
    return vmaf_floor(made.tools, plan, readings, made.source, made.media[LARGE].parent)


def spoiled(made: Made, directory: Path, name: str, filters: str) -> Made:
    """One rendition shows other pictures, on the same grid."""
    out = directory / f"{name}.mp4"
    options = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0"]
    run_ffmpeg(made.tools, "-i", made.media[name], "-vf", filters, *options, out)
    return made.repackaged({name: out}, directory)


def test_good_renditions_pass_with_their_distance(made: Made) -> None:
    result = check(made, p360=60, p240=30)
    assert result.passed, result
    found = re.fullmatch(r"2 rungs in 2 parts; the nearest is (\d+\.\d) above its floor", result.measured)
    assert found
    assert 3 < float(found[1]) < 45


@pytest.mark.parametrize("seekable", [True, False])
def test_parts_that_begin_no_segment_are_measured_once_where_they_are(
    made: Made, monkeypatch: pytest.MonkeyPatch, seekable: bool
) -> None:
    calls, measure = [], vmaf.measure

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return measure(*args, **kwargs)

    monkeypatch.setattr(vmaf, "measure", counted)
    result = check(made, parts=NO_SEGMENT, seekable=seekable, p360=60, p240=30)
    assert result.passed, result
    assert len(calls) == 1


def test_a_rendition_without_one_of_the_parts_is_named(made: Made, tmp_path: Path) -> None:
    short = spoiled(made, tmp_path, LARGE, "trim=end_frame=50")
    result = check(short, p360=60, p240=30)
    assert not result.passed
    assert result.measured == f"{LARGE}: has not all the parts that are to be measured"


def test_nothing_is_measured_without_a_floor(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("video_pipeline.media.vmaf.measure")
    assert check(made, floor=None).passed
    assert vmaf_floor(made.tools, made.plan, [], made.source, Path()).measured == "0 rungs have a floor"


@pytest.mark.parametrize("seekable", [True, False])
def test_a_blurred_rendition_is_named(made: Made, tmp_path: Path, seekable: bool) -> None:
    blurred = spoiled(made, tmp_path, LARGE, "boxblur=6")
    result = check(blurred, seekable=seekable, p360=60, p240=30)
    assert not result.passed
    assert result.subject == LARGE
    said = rf"{LARGE}: VMAF \d+\.\d on average, at least 60\.0 is wanted; the worst part has \d+\.\d at [04]\.00 s"
    assert re.fullmatch(said, result.measured)


def test_one_bad_part_is_enough(made: Made, tmp_path: Path) -> None:
    """The average of both parts would pass."""
    late = spoiled(made, tmp_path, LARGE, "boxblur=20:enable='gte(t,4)'")
    result = check(late, p360=35, p240=30)
    assert not result.passed
    assert result.subject == LARGE
    assert re.fullmatch(rf"{LARGE}: VMAF \d\.\d at 4\.00 s, at least 5\.0 is wanted in every part", result.measured)


def test_pictures_one_frame_late_are_below(made: Made, tmp_path: Path) -> None:
    late = spoiled(made, tmp_path, LARGE, "tpad=start=1:start_mode=clone,trim=end_frame=150")
    assert check(late, p360=80, p240=30).subject == LARGE


def test_without_a_search_a_size_loses_only_so_much_to_its_encoder(made: Made, tmp_path: Path) -> None:
    assert check(made, floor=60).passed
    result = check(spoiled(made, tmp_path, SMALL, "boxblur=6"), floor=60)
    assert not result.passed
    assert result.subject == SMALL


def test_a_file_that_cannot_be_read_is_a_fault_and_no_error(made: Made, tmp_path: Path) -> None:
    broken = made.with_media(LARGE, tmp_path, lambda data: data[: len(data) // 3])
    readings = read(broken.tools, broken.media, set())
    (tmp_path / "nothing.mp4").write_bytes(b"nothing")
    quality = PlannedQuality(width=640, height=360, samples=PARTS, checked=PARTS, floor=60)
    plan = made.plan.model_copy(update={"quality": quality})
    assert not vmaf_floor(made.tools, plan, readings, tmp_path / "nothing.mp4", tmp_path).passed
