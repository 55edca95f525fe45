"""Frames whose worth is known: the better one of a pair must have the higher score."""

from __future__ import annotations

from pathlib import Path

import pytest

from video_pipeline.media.frame_score import Scored, score_frames
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_ffmpeg


def scored(tools: Tools, path: Path, picture: str, frames: tuple[int, ...] = (10,)) -> list[Scored]:
    source = picture.replace("@", "size=320x180:rate=25")
    run_ffmpeg(
        tools, "-f", "lavfi", "-i", f"{source},format=yuv420p", "-t", "2", "-preset", "ultrafast", "-crf", "12", path
    )
    found = score_frames(path, frames)
    return [found[n] for n in frames]


@pytest.mark.parametrize(
    "worse",
    [
        pytest.param("smptehdbars=@,gblur=sigma=4", id="blurred"),
        pytest.param("smptehdbars=@,hue=s=0", id="gray"),
        pytest.param("smptehdbars=@,eq=contrast=0.4", id="faint"),
        pytest.param("smptehdbars=@,lutyuv=y=val/3", id="dark"),
        pytest.param("smptehdbars=@,scroll=h=0.07", id="moving"),
    ],
)
def test_a_worse_picture_has_a_lower_score(tools: Tools, tmp_path: Path, worse: str) -> None:
    (good,) = scored(tools, tmp_path / "good.mp4", "smptehdbars=@")
    (bad,) = scored(tools, tmp_path / "bad.mp4", worse)
    assert good.usable
    assert bad.score < good.score * 0.97


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param("color=black:@", id="black"),
        pytest.param("color=white:@", id="white"),
        pytest.param("color=teal:@", id="plain"),
        pytest.param("mandelbrot=@,gblur=sigma=12", id="out of focus"),
        pytest.param("smptehdbars=@,lutyuv=y=16+(val-16)/10", id="nearly faded out"),
        pytest.param("smptehdbars=@,negate=enable='gte(t,0.43)'", id="last before a cut"),
    ],
)
def test_what_is_no_picture_cannot_be_used(tools: Tools, tmp_path: Path, picture: str) -> None:
    assert not scored(tools, tmp_path / "v.mp4", picture)[0].usable


def test_fingerprints_tell_pictures_apart(tools: Tools, tmp_path: Path) -> None:
    bars, later = scored(tools, tmp_path / "a.mp4", "smptehdbars=@", (5, 40))
    (blurred,) = scored(tools, tmp_path / "b.mp4", "smptehdbars=@,gblur=sigma=2")
    (other,) = scored(tools, tmp_path / "c.mp4", "smptehdbars=@,hflip")
    assert bars.distance(later) == later.distance(bars) <= 2
    assert bars.distance(blurred) <= 8
    assert bars.distance(other) > 10


def test_only_frames_that_are_there(tools: Tools, tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    scored(tools, path, "testsrc2=@", (49,))
    assert set(score_frames(path, [0, 49, 50, 999])) == {0, 49}


@pytest.mark.media
@pytest.mark.parametrize("name", ["cockatoo_720p20_14s_420.mp4", "bikes_640x272_10s.mp4", "flower_540p_5s.mp4"])
def test_soft_pictures_of_real_cameras_are_usable(media: Path, tools: Tools, tmp_path: Path, name: str) -> None:
    """And the same out of focus are not."""
    frames = (10, 40, 70)
    for filters, usable in (("null", True), ("gblur=sigma=12", False)):
        path = tmp_path / "small.mp4"
        run_ffmpeg(tools, "-i", media / "natural" / name, "-t", "4", "-an", "-vf", f"scale=-2:240,{filters}", path)
        assert [score_frames(path, frames)[n].usable for n in frames] == [usable] * 3
