"""Frames whose worth is known: the better one of a pair must have the higher score."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from video_pipeline.media.frame_score import Scored, score_frames
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_ffmpeg

STILL = "mandelbrot=@,trim=start_frame=40:end_frame=41,loop=60:1,setpts=N"


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
        pytest.param("mandelbrot=@,gblur=sigma=4", id="blurred"),
        pytest.param("mandelbrot=@,hue=s=0", id="gray"),
        pytest.param("mandelbrot=@,eq=contrast=0.4", id="faint"),
        pytest.param("mandelbrot=@,lutyuv=y=val/3", id="dark"),
        pytest.param("mandelbrot=@,scroll=h=0.07", id="moving"),
    ],
)
def test_a_worse_picture_has_a_lower_score(tools: Tools, tmp_path: Path, worse: str) -> None:
    (good,) = scored(tools, tmp_path / "good.mp4", "mandelbrot=@")
    (bad,) = scored(tools, tmp_path / "bad.mp4", worse)
    assert not good.fault
    assert not good.drawn
    assert bad.score < good.score * 0.97


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        pytest.param("color=black:@", "mean luma 0: black", id="black"),
        pytest.param("color=white:@", "mean luma 255: white", id="white"),
        pytest.param("color=teal:@", "standard deviation of luma 0: plain", id="plain"),
        pytest.param("mandelbrot=@,gblur=sigma=12", r"variance of the Laplacian \d, .*: blurred", id="out of focus"),
        pytest.param("mandelbrot=@,lutyuv=y=16+(val-16)/10", r"mean luma \d+: black", id="nearly faded out"),
        pytest.param(f"{STILL},fade=out:nb_frames=40", r"contrast changes by -\d % .*: fading", id="fading out"),
        pytest.param(f"{STILL},fade=in:c=white:nb_frames=20", r"contrast changes by \+\d+ %", id="out of white"),
        pytest.param("mandelbrot=@,negate=enable='gte(t,0.43)'", r"difference \d+ .*: a cut or a flash", id="cut"),
    ],
)
def test_what_is_no_picture_cannot_be_used(tools: Tools, tmp_path: Path, picture: str, why: str) -> None:
    (found,) = scored(tools, tmp_path / "v.mp4", picture)
    assert found.fault or found.drawn
    assert re.search(why, found.fault)


def test_black_bars_are_no_part_of_the_picture(tools: Tools, tmp_path: Path) -> None:
    (whole,) = scored(tools, tmp_path / "a.mp4", "mandelbrot=@")
    (barred,) = scored(tools, tmp_path / "b.mp4", "mandelbrot=@,pad=320:320:0:70")
    for name in ("contrast", "exposure", "colourfulness"):
        assert getattr(barred.parts, name) == pytest.approx(getattr(whole.parts, name), abs=0.03)
    assert barred.distance(whole) <= 4


def test_fingerprints_tell_pictures_apart(tools: Tools, tmp_path: Path) -> None:
    bars, later = scored(tools, tmp_path / "a.mp4", "smptehdbars=@", (5, 40))
    (blurred,) = scored(tools, tmp_path / "b.mp4", "smptehdbars=@,gblur=sigma=2")
    (brighter,) = scored(tools, tmp_path / "d.mp4", "smptehdbars=@,lutyuv=y=min(235\\,val*1.15)")
    (other,) = scored(tools, tmp_path / "c.mp4", "smptehdbars=@,hflip")
    assert bars.distance(later) == later.distance(bars) <= 2
    assert max(bars.distance(blurred), bars.distance(brighter)) <= 6
    assert bars.distance(other) > 16


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
        assert [not (one.fault or one.drawn) for one in map(score_frames(path, frames).get, frames) if one] == [
            usable
        ] * 3
