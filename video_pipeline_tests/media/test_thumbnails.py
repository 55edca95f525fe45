"""A clip of good, black, blurred, plain and fading parts: only good frames may be offered.

Each good part is told apart by its picture, and the frames are taken from the clip again with ffmpeg to compare.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from video_pipeline.media import scenes, thumbnails
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.image_products import Thumbnail, Thumbnails
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Scene
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.test_bitrate import plan

SHARP = {"first": (0, 75), "middle": (275, 350), "last": (475, 550)}
"""Good parts: from which frame to which."""
BLACK, BLURRED, FADE, PLAIN = (75, 125), (125, 275), (350, 425), (425, 475)
PARTS = [
    "mandelbrot=size={size}:rate=25,trim=end_frame=75,vflip,hue=h=90",
    "color=black:size={size}:rate=25,trim=end_frame=50",
    "testsrc2=size={size}:rate=25,trim=end_frame=150,gblur=sigma=60",
    "mandelbrot=size={size}:rate=25:start_scale=0.6,trim=end_frame=75,hflip,hue=h=200",
    "mandelbrot=size={size}:rate=25:start_scale=1,trim=end_frame=75,transpose=cclock,scale=s={size},"
    "fade=out:start_frame=5:nb_frames=60",
    "color=teal:size={size}:rate=25,trim=end_frame=50",
    "mandelbrot=size={size}:rate=25,trim=end_frame=75",
]
LENGTH = 550


@dataclass(frozen=True)
class Clip:
    small: Path
    large: Path
    plan: EncodingPlan


def rungs(sizes: list[tuple[int, int]]) -> tuple[RungPlan, ...]:
    return tuple(
        RungPlan(name=f"h264-{h}p", family="h264", width=w, height=h, crf=23, maxrate=10**6, bufsize=10**6)
        for w, h in sizes
    )


def planned(frames: int, sizes: list[tuple[int, int]], *, width: int = 640, candidates: int = 8) -> EncodingPlan:
    bare = plan(frames)
    images: ImagePlan = bare.images.model_copy(update={"poster_width": width, "candidates": candidates, "ssim": 0.995})
    return bare.model_copy(update={"rungs": rungs(sizes), "images": images})


def join(tools: Tools, path: Path, parts: list[str], size: tuple[int, int]) -> Path:
    graph = [
        part.format(size=f"{size[0]}x{size[1]}") + f",setsar=1,format=yuv420p[v{n}]" for n, part in enumerate(parts)
    ]
    joined = "".join(f"[v{n}]" for n in range(len(parts))) + f"concat=n={len(parts)}"
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "15", "-g", "50", "-fps_mode", "passthrough"]
    run_ffmpeg(tools, "-filter_complex", ";".join([*graph, joined]), *encoder, path)
    return path


@pytest.fixture(scope="module")
def mixed(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    directory = tmp_path_factory.mktemp("mixed")
    large = join(tools, directory / "large.mp4", PARTS, (640, 360))
    small = directory / "small.mp4"
    run_ffmpeg(tools, "-i", large, "-vf", "scale=320:180", "-g", "50", "-preset", "ultrafast", small)
    return Clip(small, large, planned(LENGTH, [(640, 360), (320, 180)]))


def frame(tools: Tools, path: Path, number: int, size: tuple[int, int]) -> NDArray[np.int16]:
    """A frame's pixels, found by counting."""
    graph = f"select=eq(n\\,{number}),scale={size[0]}:{size[1]},format=rgb24"
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-vf", graph, "-frames:v", "1"]
    raw = subprocess.run([*argv, "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).astype(np.int16).reshape(size[1], size[0], 3)


def pixels(path: Path) -> NDArray[np.int16]:
    with Image.open(path) as picture:
        assert picture.format == "JPEG"
        return np.asarray(picture.convert("RGB")).astype(np.int16)


def every(found: Thumbnails) -> list[Thumbnail]:
    return [found.poster, *found.candidates]


def made(tools: Tools, clip: Clip, out: Path, cut: tuple[Scene, ...] | None = None) -> Thumbnails:
    cut = scenes.detect(clip.small, clip.plan) if cut is None else cut
    return thumbnails.make(tools, clip.small, clip.large, cut, clip.plan, out)


def within(number: int, *parts: tuple[int, int]) -> bool:
    return any(start <= number < end for start, end in parts)


def test_only_good_frames_are_offered(tools: Tools, mixed: Clip, tmp_path: Path) -> None:
    found = made(tools, mixed, tmp_path)
    chosen = [one.frame for one in every(found)]
    assert not [n for n in chosen if within(n, BLACK, BLURRED, PLAIN)]
    assert not [n for n in chosen if within(n, (380, FADE[1]))]  # the darker half of the fade
    assert within(found.poster.frame, *SHARP.values())
    assert {name for name, part in SHARP.items() if any(within(n, part) for n in chosen)} == set(SHARP)


def test_a_short_list_holds_the_best(tools: Tools, mixed: Clip, tmp_path: Path) -> None:
    clip = Clip(mixed.small, mixed.large, planned(LENGTH, [(640, 360), (320, 180)], candidates=2))
    found = every(made(tools, clip, tmp_path))
    assert [within(one.frame, *SHARP.values()) for one in found] == [True] * 3


def test_no_frame_in_motion_between_two_pictures(tools: Tools, tmp_path: Path) -> None:
    """The scene detection missed a cut; the frames right before and after it are transitions."""
    parts = [part.replace("=75", "=50") for part in (PARTS[0], PARTS[3])]
    path = join(tools, tmp_path / "v.mp4", parts, (320, 180))
    # Of the places that are looked at in this scene the middle one is the last frame before the cut.
    clip = Clip(path, path, planned(100, [(320, 180)]))
    found = made(tools, clip, tmp_path, (Scene(index=0, start=0, end=99),))
    assert 49 not in [one.frame for one in every(found)]


def test_pictures_are_the_frames_they_are_said_to_be(tools: Tools, mixed: Clip, tmp_path: Path) -> None:
    found = made(tools, mixed, tmp_path)
    assert found.candidates
    for one in every(found):
        shown = pixels(tmp_path / one.name)
        assert shown.shape == (360, 640, 3)
        assert (one.width, one.height) == (640, 360)
        assert np.abs(shown - frame(tools, mixed.large, one.frame, (640, 360))).mean() < 4
        assert one.time == pytest.approx(one.frame / 25, abs=1e-6)
        assert one.file.size == (tmp_path / one.name).stat().st_size


def test_names_and_order(tools: Tools, mixed: Clip, tmp_path: Path) -> None:
    found = made(tools, mixed, tmp_path)
    names = [one.name for one in every(found)]
    assert names == ["poster.jpg", *(f"{n:02}.jpg" for n in range(1, len(names)))]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert [one.frame for one in found.candidates] == sorted(one.frame for one in found.candidates)
    ranked = sorted(every(found), key=lambda one: one.rank or 0)
    assert [one.rank for one in ranked] == list(range(1, len(names) + 1))
    assert ranked[0] == found.poster
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    assert all(re.search(r"\d\.\d s from the (nearest (cut|fade|dissolve)|beginning|end)", one.why) for one in ranked)
    reasons = " ".join(one.why for one in found.rejected)
    assert all(word in reasons for word in ("black", "blurred", "plain", "fading"))


def test_frames_that_are_asked_for(tools: Tools, mixed: Clip, tmp_path: Path) -> None:
    """Good or not, in the order of asking, also twice; what else is offered stays."""
    asked, poster = (LENGTH - 1, 100, 0, 100), 200
    images = mixed.plan.images.model_copy(update={"at": asked, "poster": poster})
    clip = Clip(mixed.small, mixed.large, mixed.plan.model_copy(update={"images": images}))
    for name in ("free", "asked"):
        (tmp_path / name).mkdir()
    free, found = made(tools, mixed, tmp_path / "free"), made(tools, clip, tmp_path / "asked")
    assert [(one.name, one.frame) for one in found.at] == [(f"at-{n:02}.jpg", f) for n, f in enumerate(asked, 1)]
    assert found.poster.frame == poster
    assert [one.rank for one in (found.poster, *found.at)] == [None] * 5
    assert found.at[1].why == "asked for; mean luma 0: black"
    for one in (found.poster, *found.at):
        shown = pixels(tmp_path / "asked" / one.name)
        assert np.abs(shown - frame(tools, mixed.large, one.frame, (640, 360))).mean() < 4
    offered = {one.frame for one in found.candidates}
    assert {one.frame for one in free.candidates} <= offered
    assert offered <= {one.frame for one in every(free)}


def test_no_two_are_alike(tools: Tools, tmp_path: Path) -> None:
    """One still picture for the whole time is one picture."""
    part = "mandelbrot=size={size}:rate=25,trim=end_frame=1,loop=249:1"
    path = join(tools, tmp_path / "still.mp4", [part], (320, 180))
    found = made(tools, Clip(path, path, planned(250, [(320, 180)])), tmp_path)
    assert found.candidates == ()
    assert {one.why for one in found.rejected} == {
        f"looks like frame {found.poster.frame}: 0 of 64 bits of their hashes differ"
    }
    assert (tmp_path / "poster.jpg").is_file()


@pytest.mark.parametrize(
    ("part", "count", "why"),
    [
        (PARTS[1], 50, "mean luma 0: black"),
        (PARTS[5], 50, "standard deviation of luma 0: plain"),
        ("color=white:size={size}:rate=25,trim=end_frame=1", 1, "mean luma 255: white"),
    ],
)
def test_there_is_always_a_poster(tools: Tools, tmp_path: Path, part: str, count: int, why: str) -> None:
    """Even of a video that is black, plain or one white frame; it says so."""
    path = join(tools, tmp_path / "v.mp4", [part], (320, 180))
    found = made(tools, Clip(path, path, planned(count, [(320, 180)])), tmp_path)
    assert found.candidates == ()
    assert (found.poster.rank, found.poster.why) == (1, f"nothing better was found: {why}")
    assert pixels(tmp_path / "poster.jpg").shape == (180, 320, 3)


@pytest.mark.parametrize(
    ("size", "shown"),
    [((640, 360), (200, 112)), ((360, 640), (112, 200)), ((160, 90), (160, 90)), ((400, 2), (200, 2))],
)
def test_large_pictures_are_scaled_down_and_small_ones_never_up(
    tools: Tools, tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    path = join(tools, tmp_path / "v.mp4", ["testsrc2=size={size}:rate=25,trim=end_frame=10"], size)
    found = made(tools, Clip(path, path, planned(10, [size], width=200)), tmp_path)
    assert (found.poster.width, found.poster.height) == shown
    assert pixels(tmp_path / "poster.jpg").shape == (shown[1], shown[0], 3)


def test_the_same_video_gives_the_same_pictures(tools: Tools, mixed: Clip, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert made(tools, mixed, tmp_path / "a") == made(tools, mixed, tmp_path / "b")


def test_a_picture_carries_no_metadata(tools: Tools, mixed: Clip, tmp_path: Path) -> None:
    made(tools, mixed, tmp_path)
    with Image.open(tmp_path / "poster.jpg") as picture:
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
