"""What is read of a packaged file is what ffprobe and its bytes say, and a file that is none never raises."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline.media import quality
from video_pipeline.media.checks.reading import read
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media.release import LARGE, SMALL, Made


def test_a_reading_is_what_ffprobe_shows(made: Made) -> None:
    readings = {reading.name: reading for reading in read(made.tools, made.media, ())}
    assert set(readings) == {LARGE, SMALL, "audio-1"}
    for name, reading in readings.items():
        packets = ffprobe.show(made.tools, made.media[name], "-show_packets")["packets"]
        packets = sorted((p for p in packets if "D" not in p["flags"]), key=lambda p: int(p["pts"]))
        assert [int(time) for time in reading.packets["time"]] == [int(p["pts"]) for p in packets]
        assert [int(size) for size in reading.packets["size"]] == [int(p["size"]) for p in packets]
        assert [int(pos) for pos in reading.packets["position"]] == [int(p["pos"]) for p in packets]
        assert [int(n) for n in reading.keys] == [n for n, p in enumerate(packets) if "K" in p["flags"]]
        assert reading.size == made.media[name].stat().st_size
        assert reading.errors == ""
        assert abs(reading.end - 6) < Fraction(1, 100)
    assert [readings[name].decoded_frames for name in (LARGE, SMALL)] == [150, 150]


@pytest.mark.parametrize("name", [SMALL, "audio-1"])
def test_a_truncated_file_fails_what_it_breaks(made: Made, tmp_path: Path, name: str) -> None:
    failed = made.with_media(name, tmp_path, lambda content: content[: len(content) * 7 // 10]).failed()
    video = {"frame_count", "duration"} if name == SMALL else set()
    assert {"track_ends", "references"} | video <= set(failed)
    assert {result.subject for check, result in failed.items() if check in video | {"track_ends", "references"}} == {
        name
    }
    assert re.search(r"has \d+ bytes, \d+ are listed", failed["references"].measured)
    assert "sprite_tiles" not in failed


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:5], id="five bytes"),
        pytest.param(lambda content: b"\0" * len(content), id="zeros"),
        pytest.param(lambda content: content[:876], id="header only"),
        pytest.param(lambda content: b"\xff" * 4 + content[4:], id="a box of four gigabytes"),
        pytest.param(lambda content: content[:888] + b"\xff" * 44 + content[932:], id="mad index"),
        pytest.param(lambda content: content.replace(b"moof", b"free"), id="no fragment"),
    ],
)
def test_a_broken_file_is_a_failed_check_and_no_exception(
    made: Made, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    report = made.with_media(SMALL, tmp_path, change).inspect()
    assert not report.passed
    assert [check.name for check in report.checks] == list(quality.CHECKS)
    failed = {check.name: check for check in report.checks if not check.passed}
    assert any(result.subject == SMALL for result in failed.values())


def test_an_empty_file_is_named_as_such(made: Made, tmp_path: Path) -> None:
    failed = made.with_media(SMALL, tmp_path, lambda _: b"").failed()
    assert failed["not_empty"].subject == SMALL
    assert failed["not_empty"].measured == f"{SMALL}: is missing or empty"
    assert {"decodes", "frame_count", "duration", "key_frames", "track_ends", "references", "not_empty"} <= set(failed)


def test_a_missing_file_is_a_failed_check(made: Made, tmp_path: Path) -> None:
    failed = replace(made, media={**made.media, "audio-1": tmp_path / "none.mp4"}).failed()
    assert {"decodes", "track_ends", "references", "not_empty"} <= set(failed)
    assert failed["decodes"].subject == "audio-1"
    assert re.search("No such file", failed["decodes"].measured)


def test_all_files_missing(made: Made, tmp_path: Path) -> None:
    failed = replace(made, media={name: tmp_path / name for name in made.media}, images={}).failed()
    assert {"decodes", "frame_count", "duration", "key_frames", "track_ends", "references", "not_empty"} <= set(failed)
    assert "sprite_tiles" in failed
