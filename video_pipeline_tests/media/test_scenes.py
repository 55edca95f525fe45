from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline.media import scenes
from video_pipeline.media.products import Scene
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import scene_joins
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.scene_joins import RATE, SHOTS, Join
from video_pipeline_tests.media.scene_truth import CUT, DISSOLVE, DOUBTFUL, FADE, TRUTH, Score, judge
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
    assert found(tools, tmp_path / "v.mp4", [length]) == (Scene(index=0, start=0, end=length, transition="start"),)


def test_scenes_leave_no_gap(tools: Tools, tmp_path: Path) -> None:
    cut = found(tools, tmp_path / "v.mp4", [20, 20, 20, 20, 20, 20, 20, 20])
    assert len(cut) > 3
    assert [scene.index for scene in cut] == list(range(len(cut)))
    assert (cut[0].start, cut[-1].end) == (0, 160)
    assert all(one.end == following.start for one, following in itertools.pairwise(cut))


REAL = (
    "natural/sintel_trailer_720p24_52s.mp4",
    "natural/scenes_720p2997_24s.mp4",
    "natural/bikes_640x272_10s.mp4",
    "awkward/frag_180p_33s.mp4",
    "natural/cockatoo_720p20_14s_420.mp4",
)
"""All kinds of transitions, and a clip of one shot that looks like more."""


@pytest.mark.media
def test_scenes_of_real_clips(media: Path, tools: Tools, tmp_path: Path) -> None:
    """Their frames were looked at; `make bench-scenes` measures F1 0.99 over 25 clips, library's defaults 0.84."""
    score, labels = Score(), []
    for name in REAL:
        path = tmp_path / f"{Path(name).stem}.mp4"
        size = ["-vf", "scale=-2:180", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "26"]
        run_ffmpeg(tools, "-i", media / name, *size, "-an", "-fps_mode", "passthrough", path)
        [stream] = ffprobe.streams(tools, path)
        cut = scenes.detect(path, plan(int(stream["nb_frames"]), Fraction(stream["r_frame_rate"])))
        score += judge(TRUTH[name], [scene.start for scene in cut[1:]], float(Fraction(stream["r_frame_rate"])))
        labels += [
            (one.kind, scene.transition)
            for one in TRUTH[name]
            for scene in cut[1:]
            if one.start - 2 <= scene.start <= one.end + 2 and one.kind != DOUBTFUL
        ]
    assert score.wrong <= 1, score
    assert score.f1 >= 0.95, score
    assert sum(kind == found for kind, found in labels) >= 0.9 * len(labels), labels


@pytest.fixture(scope="module")
def joined(media: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> tuple[Join, tuple[Scene, ...]]:
    kinds = ((CUT, 0), (DISSOLVE, 12), (FADE, 25), ("white", 25), (CUT, 0))
    join = Join("joined", kinds, SHOTS[:6], 75, flashes=True)
    path = scene_joins.make(tools, media, join, tmp_path_factory.mktemp("joined"))
    return join, scenes.detect(path, plan(join.truth[-1].end + 75, Fraction(RATE)))


@pytest.mark.media
def test_cuts_fades_and_dissolves_are_told_apart(joined: tuple[Join, tuple[Scene, ...]]) -> None:
    """Of shots joined in known places, with a flash in the middle of each: they make no scenes."""
    join, cut = joined
    assert [scene.transition for scene in cut] == ["start", *(one.kind for one in join.truth)]
    for scene, one in zip(cut[1:], join.truth, strict=True):
        assert one.start - 1 <= scene.start <= one.end + 1
        assert abs(scene.transition_frames - (one.end - one.start)) <= 8


@pytest.mark.media
def test_of_a_cut_the_first_frame_is_the_new_shot(joined: tuple[Join, tuple[Scene, ...]]) -> None:
    join, cut = joined
    assert [scene.start for scene in cut if scene.transition == "cut"] == [
        one.start for one in join.truth if one.kind == CUT
    ]


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
