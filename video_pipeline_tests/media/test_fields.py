"""What is taken for fields and what is not, whatever the file says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from video_pipeline.media import probe
from video_pipeline.media.combing import Look
from video_pipeline.media.fields import judge
from video_pipeline.media.model import Fields
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import woven
from video_pipeline_tests.media.woven import INTERLACED, TFF, X264, Array

COUNT, HEIGHT, WIDTH = 60, 576, 160


def scrolled(pixels: int) -> Array:
    """Credits that go up, so many lines in each picture."""
    rng = np.random.default_rng(2)
    letters = np.kron(rng.integers(0, 2, (200, 40)), np.ones((4, 8))) * 220
    letters[np.arange(800) % 40 > 24] = 0
    return np.stack([letters[n * pixels :][:HEIGHT, :WIDTH] for n in range(COUNT)]).astype(np.uint8)


def grain() -> Array:
    noise = np.random.default_rng(3).normal(0, 18, (COUNT, HEIGHT, WIDTH))
    return np.asarray((woven.moments(COUNT, WIDTH, HEIGHT) + noise).clip(0, 255).astype(np.uint8))


def noise() -> Array:
    return np.random.default_rng(4).integers(60, 190, (COUNT, HEIGHT, WIDTH)).astype(np.uint8)


def stripes() -> Array:
    """A line black, a line white, and the other way round in the next picture."""
    lines = (np.arange(HEIGHT)[None, :, None] + np.arange(COUNT)[:, None, None]) % 2
    return np.broadcast_to(lines * 200 + 20, (COUNT, HEIGHT, WIDTH)).astype(np.uint8)


def window() -> Array:
    """A screen: nothing moves but a window with lines of text, now and then."""
    pictures = np.full((COUNT, HEIGHT, WIDTH), 230, np.uint8)
    for n in range(COUNT):
        left = 10 + 8 * (n // 10)
        pictures[n, 100:300, left : left + 90] = 40
        pictures[n, 110:290:3, left + 10 : left + 80] = 200
    return pictures


PROGRESSIVE = {
    "bar": lambda: woven.moments(COUNT, WIDTH, HEIGHT),
    "credits, 1 line": lambda: scrolled(1),
    "credits, 2 lines": lambda: scrolled(2),
    "credits, 3 lines": lambda: scrolled(3),
    "grain": grain,
    "noise": noise,
    "stripes": stripes,
    "window": window,
}


@pytest.mark.parametrize("what", PROGRESSIVE)
def test_whole_frames_stay_whole(tools: Tools, tmp_path: Path, what: str) -> None:
    clip = woven.write(tools, tmp_path / "clip.mp4", PROGRESSIVE[what](), "25", "null", *X264)
    assert probe.probe(tools, clip).video.fields == "progressive"


@pytest.mark.parametrize("what", ["bar", "credits, 3 lines"])
def test_whole_frames_that_say_they_are_fields_stay_whole(tools: Tools, tmp_path: Path, what: str) -> None:
    """As cameras record "PsF"."""
    codec = (*X264, *INTERLACED, "-x264-params", "tff=1")
    clip = woven.write(tools, tmp_path / "clip.mp4", PROGRESSIVE[what](), "25", TFF, *codec)
    video = probe.probe(tools, clip).video
    assert (video.field_order, video.fields) == ("tt", "progressive")


@pytest.mark.parametrize("source", ["testsrc2", "mandelbrot"])
def test_ffmpegs_own_sources(tools: Tools, tmp_path: Path, source: str) -> None:
    clip = tmp_path / "clip.mp4"
    woven.run(tools, ["-f", "lavfi", "-i", f"{source}=size=720x576:rate=25", "-t", "2.4", *X264, str(clip)])
    assert probe.probe(tools, clip).video.fields == "progressive"


def test_fields_in_a_third_of_the_video_are_found(tools: Tools, tmp_path: Path) -> None:
    """From news made of film and of video."""
    whole = woven.moments(120, 320, HEIGHT)
    pictures = np.concatenate([whole[:80], woven.woven(whole[40:]), whole[:80]])
    clip = woven.write(tools, tmp_path / "clip.mp4", pictures, "25", "null", *X264)
    assert probe.probe(tools, clip).video.fields == "top first"


@pytest.mark.parametrize("said", ["progressive", "top first", "bottom first"])
def test_what_cannot_be_told_is_what_is_said(said: Fields) -> None:
    assert judge([Look(), Look(told=2, combed=2, top_first=1)], said, film=False) == said


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("awkward/interlaced_dvd_vob_lpcm.mpg", "telecined"),
        ("awkward/interlaced_imx_mxf_8ch.mxf", "top first"),
        ("awkward/interlaced_mpeg2_field_pictures_pal.ts", "bottom first"),
        ("awkward/interlaced_h264_tff_360p_5s.mp4", "progressive"),
        ("hostile/interlaced_field_raw.264", "top first"),
        ("natural/croatia_1080p25_5.5Mbps_8s.mp4", "progressive"),
        ("natural/friday_480p_6s.mp4", "progressive"),
        ("awkward/sar16-11_pal_704x576_25s.mp4", "progressive"),
    ],
)
def test_real_clips(tools: Tools, media: Path, name: str, fields: str) -> None:
    assert probe.probe(tools, media / name).video.fields == fields
