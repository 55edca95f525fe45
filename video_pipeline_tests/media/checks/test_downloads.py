"""Faults of the MP4 for download, planted in a real one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from video_pipeline.media import download
from video_pipeline_tests.media.release import LARGE, SMALL, Made, run_ffmpeg

Change = Callable[[Made, Path], Path]


@pytest.fixture(scope="module")
def saved(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made.with_download(SMALL, tmp_path_factory.mktemp("download"))


def copied(*args: str) -> Change:
    """Another copy of it, by other arguments."""

    def change(made: Made, directory: Path) -> Path:
        assert made.saved
        out = directory / "other.mp4"
        run_ffmpeg(made.tools, "-i", made.saved, *args, *([] if "-c" in args else ["-c", "copy"]), out)
        return out

    return change


def of(rung: str, sound: str | None) -> Change:
    def change(made: Made, directory: Path) -> Path:
        download.make(made.tools, made.plan, made.encoded[rung], made.encoded[sound] if sound else None, directory)
        return directory / download.FILE

    return change


def late_sound(made: Made, directory: Path) -> Path:
    out = directory / "late.mp4"
    tracks: list[str | Path] = ["-i", made.encoded[SMALL], "-itsoffset", "0.2", "-i", made.encoded["audio-1"]]
    run_ffmpeg(made.tools, *tracks, "-map", "0:v", "-map", "1:a", "-c", "copy", "-movflags", "+faststart", out)
    return out


def cut_off(made: Made, directory: Path) -> Path:
    assert made.saved
    out = directory / "cut.mp4"
    out.write_bytes(made.saved.read_bytes()[: made.saved.stat().st_size // 2])
    return out


def damaged(made: Made, directory: Path) -> Path:
    """The size stays, the last picture does not."""
    assert made.saved
    out, data = directory / "damaged.mp4", bytearray(made.saved.read_bytes())
    data[-2000:] = bytes(2000)
    out.write_bytes(data)
    return out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(copied(), r"no index \(moov\) before the data \(mdat\), but ftyp, free, mdat, moov", id="slow"),
        pytest.param(
            copied("-t", "4", "-movflags", "+faststart"),
            r"10\d frames decoded, 150 planned; .* to 4\.\d+ s",
            id="short",
        ),
        pytest.param(cut_off, r"no index|h264|errors?", id="cut off"),
        pytest.param(damaged, r"aac|h264|[Ee]rror|[Ii]nvalid", id="damaged"),
        pytest.param(of(SMALL, None), r"audio-1: ", id="without its sound"),
        pytest.param(of(LARGE, "audio-1"), rf"{SMALL}: not the rendition's packet at 0\.000 s", id="another rung"),
        pytest.param(late_sound, r"audio-1: from 0\.\d+ to 6\.\d+ s, planned from 0 to 6\.000 s", id="late sound"),
        pytest.param(lambda made, _: made.encoded[SMALL].parent / "none.mp4", "planned but not there", id="missing"),
    ],
)
def test_a_wrong_download_is_found(saved: Made, tmp_path: Path, change: Change, said: str) -> None:
    failed = replace(saved, saved=change(saved, tmp_path)).failed()
    assert set(failed) == {"download"}, failed
    assert failed["download"].subject == "download.mp4"
    assert re.search(said, failed["download"].measured), failed["download"].measured


def test_a_good_one_passes(saved: Made) -> None:
    checks = {check.name: check.measured for check in saved.inspect().checks if check.passed}
    assert checks["download"] == f"150 frames of {SMALL}, with sound, 6.000 s, the index before the data"


def test_one_that_was_not_planned(saved: Made, made: Made) -> None:
    assert replace(made, saved=saved.saved).failed()["download"].measured == "download.mp4: there but not planned"
    assert replace(saved, saved=None).failed()["download"].measured == "download.mp4: planned but not there"
