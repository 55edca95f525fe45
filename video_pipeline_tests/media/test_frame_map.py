"""Every frame of the grid shows the picture that another decode of the source has then, MD5 by MD5, and a grid made in
parts is the one made in one pass."""

from __future__ import annotations

import itertools
import struct
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import ffmpeg as graph
import pytest

from video_pipeline import presets
from video_pipeline.errors import SourceError
from video_pipeline.media import frame_map, probe
from video_pipeline.media.graph import clock, gridded
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe

DRAFT = presets.load("draft")
LARGE = {"av1_4k60_363s_black_1MB.mp4", "long_1080p30_363s_0.8MB.mp4"}
"""More than 10 000 pictures each."""
SOME = [
    "awkward/vfr_screenrec_3026x1386.mp4",
    "awkward/vfr_android_slow_motion.mp4",
    "awkward/portrait_vfr_slight_368x480.mp4",
    "awkward/start_delayed_1.07s.mp4",
    "awkward/neg_first_pts_discard.mov",
    "awkward/editlist_2_ends_on_bframe.mov",
    "awkward/no_duration_header.webm",
    "awkward/start_37489s_720p.ts",
    "awkward/samsung_super_slow_motion.mp4",
    "awkward/container_avi_tscc_screen_57s.avi",
    "awkward/1frame_canon_1080p.mov",
    "natural/friday_480p_6s.mp4",
]


def planned(tools: Tools, path: Path) -> tuple[TechnicalMetadata, EncodingPlan]:
    about = probe.probe(tools, path)
    return about, make_plan(about, "0" * 64, DRAFT)


def grid(tools: Tools, path: Path, plan: EncodingPlan) -> list[str]:
    """The MD5s of the frames."""
    words = graph.output(gridded(path, plan), "-", fps_mode="passthrough").get_args()[:-1]
    return [md5 for _, md5 in ffprobe.pictures(tools, *clock(plan), *words)]


def decoded(tools: Tools, path: Path, plan: EncodingPlan) -> list[tuple[Fraction, str]]:
    """Time and MD5 of the pictures of a plain decode of the stream."""
    words = ["-map", f"0:{plan.stream}", "-fps_mode", "passthrough", "-enc_time_base", "filter"]
    fit: list[str | Path] = ["-reinit_filter", "0", "-noautorotate", "-i", path, "-vf", ",".join(plan.before)]
    return ffprobe.pictures(tools, *fit, *words)


def expected(pictures: list[tuple[Fraction, str]], plan: EncodingPlan) -> list[str]:
    """Of each frame the last picture that begins before its middle."""
    first = pictures[0][0] - plan.lead / plan.rate
    frames, shown = [], 0
    for frame in range(plan.frames):
        while shown + 1 < len(pictures) and (pictures[shown + 1][0] - first) * plan.rate < frame + Fraction(1, 2):
            shown += 1
        frames.append(pictures[shown][1])
    return frames


def parts(plan: EncodingPlan, count: int) -> list[EncodingPlan]:
    """The plan cut into spans of frames."""
    step = -(-plan.frames // count)
    return [
        plan.model_copy(
            update={"start": plan.start + first / plan.rate, "skip": first, "frames": min(step, plan.frames - first)}
        )
        for first in range(0, plan.frames, step)
    ]


def prove(tools: Tools, path: Path) -> None:
    about, plan = planned(tools, path)
    frames = grid(tools, path, plan)
    assert len(frames) == plan.frames
    shown = frame_map.read(tools, path, plan, about.timing)
    assert shown.frames == plan.frames
    if about.video.fields != "progressive" or shown.damage:
        return  # no picture of the source is shown as it is, or not the same one in every decode
    pictures = decoded(tools, path, plan)
    if len({time for time, _ in pictures}) == len(pictures):
        assert frames == expected(sorted(pictures), plan)
    assert shown.pictures >= 1 + sum(one != other for one, other in itertools.pairwise(frames))
    for part in parts(plan, 3):
        if frame_map.read_honestly(part, frame_map.read(tools, path, part, about.timing)):
            assert grid(tools, path, part) == frames[part.skip : part.skip + part.frames], part.skip


@pytest.mark.media
@pytest.mark.parametrize("name", SOME)
def test_frames_are_the_sources_pictures(tools: Tools, media: Path, name: str) -> None:
    prove(tools, media / name)


@pytest.mark.slow
@pytest.mark.media
@pytest.mark.parametrize("directory", ["natural", "awkward", "hostile"])
def test_frames_are_the_sources_pictures_in_every_clip(tools: Tools, media: Path, directory: str) -> None:
    proven = 0
    for path in sorted((media / directory).iterdir()):
        if path.name in LARGE:
            continue
        try:
            prove(tools, path)
        except SourceError:
            continue  # what is refused has no frames
        proven += 1
    assert proven > 10


def made(tools: Tools, path: Path, *args: str) -> Path:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", *args, str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=120)
    return path


PATTERN = ("-f", "lavfi", "-i", "mandelbrot=size=160x120:rate=25,trim=duration=3,format=yuv420p")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1")


@pytest.mark.parametrize(
    ("name", "filters", "ticks", "rate", "frames"),
    [
        pytest.param("a.mp4", "null", 25, 25, 75, id="constant"),
        pytest.param("a.mkv", "setpts=(N+floor(N/5)*3)*20", 1000, 50, 118, id="pauses"),
        pytest.param("a.mkv", "setpts=N*40+mod(N\\,3)", 1000, 25, 75, id="jitter"),
        pytest.param("a.mp4", "setpts=N*2", 25, "12.5", 75, id="12.5"),
        pytest.param("a.mp4", "setpts=N", 120, 60, 40, id="120 under a cap of 60"),
        pytest.param("a.mp4", "setpts=N*25", 25, 10, 750, id="1"),
        pytest.param("a.mp4", "trim=end_frame=1", 25, 25, 1, id="one picture"),
        pytest.param("a.mp4", "trim=end_frame=3", 25, 25, 3, id="0.12 s"),
        pytest.param("a.mp4", "setpts=PTS+3/TB", 25, 25, 75, id="late"),
        pytest.param("a.ts", "setpts=PTS+30000/TB", 25, 25, 75, id="far"),
    ],
)
def test_shapes_of_time(
    tools: Tools, tmp_path: Path, name: str, filters: str, ticks: int, rate: int | str, frames: int
) -> None:
    """75 pictures, whose times the filters give in ticks."""
    options = ("-fps_mode", "passthrough", "-enc_time_base", f"1:{ticks}")
    path = made(tools, tmp_path / name, *PATTERN, "-vf", f"settb=1/{ticks},{filters}", *options, *X264)
    _, plan = planned(tools, path)
    assert plan.rate == Fraction(rate)
    assert plan.frames == frames
    prove(tools, path)


def test_what_an_edit_list_hides_is_not_shown(tools: Tools, make_clip: Callable[..., Path], tmp_path: Path) -> None:
    """Cut by stream copy, so that the first second is there and hidden."""
    path = made(tools, tmp_path / "cut.mp4", "-ss", "1", "-i", str(make_clip(seconds=4)), "-c", "copy")
    _, plan = planned(tools, path)
    assert plan.frames == 75
    prove(tools, path)


def test_a_clock_that_jumps_back_goes_on(tools: Tools, make_clip: Callable[..., Path], tmp_path: Path) -> None:
    part = made(tools, tmp_path / "part.ts", "-i", str(make_clip(seconds=2)), "-c", "copy")
    path = tmp_path / "both.ts"
    path.write_bytes(part.read_bytes() * 2)
    _, plan = planned(tools, path)
    assert abs(plan.frames - 100) <= 1
    assert plan.rate == 25


def test_a_duration_that_lies_is_not_believed(tools: Tools, make_clip: Callable[..., Path], tmp_path: Path) -> None:
    path = made(tools, tmp_path / "liar.mkv", "-i", str(make_clip(seconds=2, audio=False)), "-c", "copy")
    data = path.read_bytes()
    field = data.index(b"\x44\x89\x88") + 3  # Duration, a double, ms
    path.write_bytes(data[:field] + struct.pack(">d", 4e7) + data[field + 8 :])
    assert float(ffprobe.show(tools, path, "-show_format")["format"]["duration"]) > 30_000
    _, plan = planned(tools, path)
    assert plan.rate == 25
    assert plan.frames == 50
