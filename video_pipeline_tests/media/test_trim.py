"""Clips whose every picture bears its number in bars: a trim must show the same pictures as the whole, and the sound
of just then. Read back with plain ffmpeg."""

from __future__ import annotations

import dataclasses
import math
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from video_pipeline import presets
from video_pipeline.errors import RequestError
from video_pipeline.media import audio, frame_map, probe
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.options import Options, Trim
from video_pipeline.media.plan import make_plan
from video_pipeline.media.products import FrameMap
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import encoding
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.test_audio import RATE, samples

WIDTH, HEIGHT, BITS = 256, 64, 8
PICTURES = 200
CLICK = Fraction(3)
"""s"""
DRAFT = presets.load("draft")


@dataclasses.dataclass(frozen=True)
class Clip:
    path: Path
    about: TechnicalMetadata
    whole: list[int]
    """The numbers seen in the frames of the whole."""


def numbered(tools: Tools, path: Path, rate: str, *more: str) -> Path:
    """`PICTURES` pictures, number n as black and white bars of its binary digits, and a click at `CLICK`."""
    numbers = np.arange(PICTURES)[:, None] >> np.arange(BITS) & 1
    bars = np.repeat(numbers.astype(np.uint8) * 219 + 16, WIDTH // BITS, axis=1)
    frames = np.repeat(bars[:, None, :], HEIGHT, axis=1)
    sound = f"aevalsrc=exprs='if(between(t,{CLICK},{CLICK}+0.005),0.9,0)':sample_rate={RATE}:duration=9"
    argv = [str(tools.ffmpeg), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}"]
    argv += ["-r", rate, "-i", "-", "-f", "lavfi", "-i", sound, "-shortest", "-g", "60", "-bf", "2", "-crf", "20"]
    argv += ["-pix_fmt", "yuv420p", "-preset", "veryfast", *more, str(path)]
    subprocess.run(argv, input=frames.tobytes(), check=True, timeout=60)
    return path


def seen(tools: Tools, path: Path) -> list[int]:
    """The number in every frame of a rendition."""
    (stream,) = ffprobe.streams(tools, path)
    width, height = stream["width"], stream["height"]
    argv = [str(tools.ffmpeg), "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
    row: NDArray[np.uint8] = np.frombuffer(raw, np.uint8).reshape(-1, height, width)[:, height // 2]
    middles = (np.arange(BITS) * 2 + 1) * width // (2 * BITS)
    return [int((bits.astype(int) << np.arange(BITS)).sum()) for bits in row[:, middles] > 127]


def encoded(tools: Tools, clip: Path, plan: EncodingPlan, out: Path) -> tuple[list[int], FrameMap]:
    shown = encoding.encode(tools, clip, plan, plan.rungs[-1:], out).shown
    return seen(tools, out / f"{plan.rungs[-1].name}.mp4"), shown


KINDS = {
    "mp4": ("clip.mp4", "25", ()),
    "milliseconds": ("clip.mkv", "30000/1001", ()),
    "variable": ("clip.mkv", "25", ("-vf", "settb=1/1000,setpts=N*40+28*sin(N)+400", "-fps_mode", "vfr")),
    "fast": ("clip.mp4", "120", ()),
    "ts": ("clip.ts", "50", ()),
}


@pytest.fixture(scope="module", params=KINDS)
def clip(tools: Tools, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Clip:
    directory = tmp_path_factory.mktemp("trim")
    name, rate, more = KINDS[request.param]
    path = numbered(tools, directory / name, rate, *more)
    about = probe.probe(tools, path)
    whole, _ = encoded(tools, path, make_plan(about, "0" * 64, DRAFT), directory)
    return Clip(path, about, whole)


@pytest.mark.parametrize("trim", [(0.5, 1.0), (0.0, 1.3), (1.234, None), (1.4, 1.401 + 1 / 12.5)])
def test_a_trim_shows_the_frames_of_the_whole(
    tools: Tools, clip: Clip, tmp_path: Path, trim: tuple[float, float | None]
) -> None:
    plan = make_plan(clip.about, "0" * 64, DRAFT, Options(trim=Trim(start=trim[0], end=trim[1])))
    found, shown = encoded(tools, clip.path, plan, tmp_path)
    ends = float("inf") if trim[1] is None else trim[1]
    times = [float(n / plan.rate) for n in range(len(clip.whole))]
    assert found == [number for number, time in zip(clip.whole, times, strict=True) if trim[0] <= time < ends]
    assert len(set(found)) > 1
    assert (shown.frames, shown.lost, shown.broken) == (len(found), 0, 0)
    path = tmp_path / f"{plan.rungs[-1].name}.mp4"
    assert Fraction(ffprobe.streams(tools, path)[0]["duration"]) == pytest.approx(plan.duration, abs=0.001)


@pytest.mark.parametrize("name", ["clip.mkv", "clip.mp4"])
@pytest.mark.parametrize("trim", [(3.5, 5.0), (3.5, None), (9.0, None), (2.96, 3.04)])
def test_a_trim_begins_in_a_picture_that_stands(
    tools: Tools, tmp_path: Path, name: str, trim: tuple[float, float | None]
) -> None:
    """Picture 74 stands for 2 s, and the last one, 149, for another two."""
    times = "setpts='if(lt(N,75),N*40,N*40+2000)'"
    more = ["-vf", f"trim=end_frame=150,settb=1/1000,{times}", "-fps_mode", "vfr", "-enc_time_base", "1:1000"]
    more += ["-bf", "0", "-bsf:v", "setts=duration=if(eq(N\\,149)\\,2000\\,40)"]
    clip = numbered(tools, tmp_path / name, "25", *more)
    about = probe.probe(tools, clip)
    plan = make_plan(about, "0" * 64, DRAFT, Options(trim=Trim(start=trim[0], end=trim[1])))
    found, shown = encoded(tools, clip, plan, tmp_path)
    grid = [*range(75), *[74] * 50, *range(75, 150), *[149] * 49]
    ends = len(grid) if trim[1] is None else round(trim[1] * 25)
    assert plan.rate == 25
    assert found == grid[math.ceil(trim[0] * 25) : ends]
    assert shown.worst_offset <= frame_map.most_offset(plan)


def test_the_whole_has_every_picture_at_its_time(clip: Clip) -> None:
    """Else the test above would compare with something wrong."""
    assert clip.whole == sorted(clip.whole)
    assert clip.whole[0] == 0
    assert clip.whole[-1] >= PICTURES - 2


@pytest.mark.parametrize("start", [0.0, 0.5, 1.52, 2.97])
def test_a_click_is_heard_when_it_should(tools: Tools, tmp_path: Path, start: float) -> None:
    clip = numbered(tools, tmp_path / "clip.mkv", "25", "-c:a", "pcm_s16le")
    about = probe.probe(tools, clip)
    plan = make_plan(about, "0" * 64, DRAFT, Options(trim=Trim(start=start, end=4)))
    (track,) = audio.encode(tools, clip, plan, plan.audio, tmp_path)
    found = samples(tools, tmp_path / f"{track.name}.mp4")
    assert len(found) / RATE == pytest.approx(float(plan.duration), abs=0.03)
    heard = np.flatnonzero(np.abs(found[:, 0]) > 0.3)
    # The first frame begins at the next multiple of 40 ms.
    assert heard[0] / RATE == pytest.approx(float(CLICK) - math.ceil(start * 25) / 25, abs=0.004)
    assert (heard[-1] - heard[0]) / RATE < 0.02


def test_no_sound_from_behind_the_trim(tools: Tools, tmp_path: Path) -> None:
    clip = numbered(tools, tmp_path / "clip.mkv", "25", "-c:a", "pcm_s16le")
    plan = make_plan(probe.probe(tools, clip), "0" * 64, DRAFT, Options(trim=Trim(start=1, end=7.8)))
    (track,) = audio.encode(tools, clip, plan, plan.audio, tmp_path)
    assert len(samples(tools, tmp_path / f"{track.name}.mp4")) / RATE == pytest.approx(6.8, abs=0.03)


@pytest.mark.media
def test_a_source_that_is_not_read_from_where_it_should_is_noticed(tools: Tools, media: Path, tmp_path: Path) -> None:
    """A picture a second, in another order than shown: a seek leads behind the first picture."""
    path = media / "awkward/editlist_iibbibb.mp4"
    about = probe.probe(tools, path)
    plan = make_plan(about, "0" * 64, DRAFT, Options(trim=Trim(start=3.72, end=7.44)))
    assert plan.seekable
    misread = frame_map.read(tools, path, plan, about.timing)
    assert not frame_map.read_honestly(plan, misread)
    assert misread.worst_offset > frame_map.most_offset(plan)
    _, shown = encoded(tools, path, plan, tmp_path)  # read from its start instead
    assert shown.worst_offset <= frame_map.most_offset(plan)


@pytest.mark.media
@pytest.mark.parametrize("name", ["awkward/rot180_vfr_phone_720p.mp4", "awkward/start_delayed_1.07s.mp4"])
def test_a_real_clip_too(tools: Tools, media: Path, tmp_path: Path, name: str) -> None:
    """Every frame is like that of the whole at the same place, and less like its neighbours."""
    about = probe.probe(tools, media / name)
    whole = make_plan(about, "0" * 64, DRAFT)
    part = make_plan(about, "0" * 64, DRAFT, Options(trim=Trim(start=0.3, end=0.9)))
    pictures = []
    for n, plan in enumerate((whole, part)):
        out = tmp_path / str(n)
        out.mkdir()
        encoding.encode(tools, media / name, plan, plan.rungs[-1:], out)
        argv = [str(tools.ffmpeg), "-v", "error", "-i", str(out / f"{plan.rungs[-1].name}.mp4"), "-vf", "scale=64:64"]
        argv += ["-f", "rawvideo", "-pix_fmt", "gray", "-"]
        raw = subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
        pictures.append(np.frombuffer(raw, np.uint8).reshape(-1, 64 * 64).astype(np.int16))
    first = math.ceil(0.3 * whole.rate)
    assert len(pictures[1]) == part.frames
    distances = [
        np.abs(pictures[1] - pictures[0][first + off : first + off + part.frames]).mean() for off in (-1, 0, 1)
    ]
    assert distances[1] < 1.5
    assert distances[1] < min(distances[0], distances[2])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Options(trim=Trim(start=8)), r"^trim.start: 8 s is not before the end; the source is 8.000 s long$"),
        (Options(trim=Trim(start=1, end=9.5)), r"^trim.end: 9.5 s is after the end; the source is 8.000 s long$"),
        (Options(trim=Trim(start=1.01, end=1.02)), r"^trim: no frame begins there; one is shown for 40.000 ms"),
        (
            Options(thumbnails_at=(8, 8.5)),
            r"^thumbnailsAt.1: 8.5 s is after the end; what is published is 8.000 s long",
        ),
        (Options(poster=3, trim=Trim(end=2)), r"^poster: 3 s is after the end; what is published is 2.000 s long"),
    ],
)
def test_times_outside_of_the_source_are_refused(tools: Tools, tmp_path: Path, asked: Options, said: str) -> None:
    clip = tmp_path / "clip.mp4"
    run_ffmpeg(tools, "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=8", clip)
    with pytest.raises(RequestError, match=said):
        make_plan(probe.probe(tools, clip), "0" * 64, DRAFT, asked)
