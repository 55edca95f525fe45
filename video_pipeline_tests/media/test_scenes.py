from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline.media import scenes
from video_pipeline.media.products import Scene
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.test_bitrate import plan

KINDS = ("testsrc2", "mandelbrot", "smptebars", "rgbtestsrc")


def clip(tools: Tools, path: Path, lengths: Sequence[int], rate: str = "25") -> Path:
    """Parts of so many frames, each another test picture."""
    graph = [
        f"{KINDS[n % 4]}=size=320x180:rate={rate},trim=end_frame={length},setsar=1,format=yuv420p,"
        f"hue=s={1 + n // 4}[v{n}]"
        for n, length in enumerate(lengths)
    ]
    joined = "".join(f"[v{n}]" for n in range(len(lengths))) + f"concat=n={len(lengths)}"
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-fps_mode", "passthrough"]
    run_ffmpeg(tools, "-filter_complex", ";".join([*graph, joined]), *encoder, path)
    return path


def found(tools: Tools, path: Path, lengths: Sequence[int], rate: str = "25") -> tuple[Scene, ...]:
    return scenes.detect(clip(tools, path, lengths, rate), plan(sum(lengths), Fraction(rate)))


@pytest.mark.parametrize("rate", ["25", "30000/1001", "60"])
def test_cuts_are_found_to_the_frame(tools: Tools, tmp_path: Path, rate: str) -> None:
    lengths = [60, 47, 81, 55]
    cut = found(tools, tmp_path / "v.mp4", lengths, rate)
    assert [(scene.index, scene.start, scene.end) for scene in cut] == [
        (0, 0, 60),
        (1, 60, 107),
        (2, 107, 188),
        (3, 188, 243),
    ]


def test_a_fade_is_no_cut(tools: Tools, tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    picture = "testsrc2=size=320x180:rate=25:duration=6,fade=out:st=0:d=7"
    run_ffmpeg(tools, "-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "ultrafast", path)
    assert [(scene.start, scene.end) for scene in scenes.detect(path, plan(150))] == [(0, 150)]


def test_flashes_make_no_scenes_of_their_own(tools: Tools, tmp_path: Path) -> None:
    """4 frames are far below the shortest scene of 0.6 s."""
    cut = found(tools, tmp_path / "v.mp4", [50, 4, 50])
    assert all(scene.end - scene.start >= 15 for scene in cut)
    assert (cut[0].start, cut[-1].end) == (0, 104)


@pytest.mark.parametrize("length", [1, 2, 100])
def test_without_a_cut_there_is_one_scene(tools: Tools, tmp_path: Path, length: int) -> None:
    assert found(tools, tmp_path / "v.mp4", [length]) == (Scene(index=0, start=0, end=length),)


def test_scenes_leave_no_gap(tools: Tools, tmp_path: Path) -> None:
    cut = found(tools, tmp_path / "v.mp4", [20, 20, 20, 20, 20, 20, 20, 20])
    assert len(cut) > 3
    assert [scene.index for scene in cut] == list(range(len(cut)))
    assert (cut[0].start, cut[-1].end) == (0, 160)
    assert all(one.end == following.start for one, following in itertools.pairwise(cut))


@pytest.mark.media
def test_cuts_of_a_real_film(media: Path, tools: Tools, tmp_path: Path) -> None:
    """The Sintel trailer shows a new shot every few seconds; its first seconds are a fade from black."""
    source, path = media / "natural/sintel_trailer_720p24_52s.mp4", tmp_path / "small.mp4"
    run_ffmpeg(tools, "-i", source, "-t", "25", "-vf", "scale=320:-2", "-an", "-preset", "ultrafast", path)
    cut = scenes.detect(path, plan(600, Fraction(24)))
    assert 4 <= len(cut) <= 20
    assert (cut[0].start, cut[-1].end) == (0, 600)


def test_it_ends_early_where_what_runs_beside_it_fails(tools: Tools, tmp_path: Path) -> None:
    lengths = [6000, 60]
    path = clip(tools, tmp_path / "v.mp4", lengths, "25")
    with (
        pytest.raises(RuntimeError, match="something else"),
        scenes.detecting(path, plan(sum(lengths), Fraction(25))) as cut,
    ):
        raise RuntimeError("something else")
    # It has not come to the only cut.
    assert len(cut.result(timeout=0)) == 1
