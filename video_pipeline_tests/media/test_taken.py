"""Frames taken from the source are those frames, and better than the rung's; where the source does not give them, they
are the rung's. Compared with another decode of the source, by ffmpeg alone, that counts frames."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from video_pipeline import presets
from video_pipeline.media import probe, taken
from video_pipeline.media.frame_score import score_frames
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.taken import Taken
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import mixed
from video_pipeline_tests.media.encoding import encode
from video_pipeline_tests.media.release import run_ffmpeg

SIZE = (320, 180)
FRAMES = [3, 26, 47, 70]
PICTURE = "mandelbrot=size=640x360:rate=25:start_scale=0.6,trim=end_frame=80"


@dataclass(frozen=True)
class Clip:
    source: Path
    rung: Path
    plan: EncodingPlan


def encoded(tools: Tools, source: Path, directory: Path, crf: int = 40) -> Clip:
    """Its largest rung, made badly, so that it is told from the source."""
    plan = make_plan(probe.probe(tools, source), "0" * 64, presets.load("draft"))
    rung = plan.family("h264")[0].model_copy(update={"crf": crf})
    plan = plan.model_copy(update={"rungs": (rung,)})
    encode(tools, source, plan, (rung,), directory)
    return Clip(source, directory / f"{rung.name}.mp4", plan)


def clip(tools: Tools, directory: Path, name: str, picture: str, *options: str) -> Clip:
    path = directory / name
    words = options or ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "8", "-g", "25", "-bf", "2")
    run_ffmpeg(tools, "-f", "lavfi", "-i", f"{picture},format=yuv420p", *words, path)
    return encoded(tools, path, directory)


@pytest.fixture(scope="module")
def plain(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return clip(tools, tmp_path_factory.mktemp("plain"), "plain.mp4", PICTURE)


def took(tools: Tools, made: Clip, frames: Sequence[int] = FRAMES, source: Path | None = None) -> list[Taken]:
    scored = score_frames(made.rung, frames)
    found = list(taken.take(tools, source or made.source, made.rung, frames, size(made), made.plan, scored))
    assert sorted(one.frame for one in found) == sorted(frames)
    return found


def size(made: Clip) -> tuple[int, int]:
    rung = made.plan.rungs[0]
    return SIZE if rung.width > rung.height else (SIZE[1], SIZE[0])


def decoded(tools: Tools, path: Path, frame: int, to: tuple[int, int], before: str = "null") -> NDArray[np.float64]:
    """Turned as the file says, and found by counting."""
    graph = f"{before},select=eq(n\\,{frame}),scale={to[0]}:{to[1]}:flags=lanczos,format=rgb24"
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-vf", graph, "-frames:v", "1"]
    raw = subprocess.run([*argv, "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).astype(float).reshape(to[1], to[0], 3)


def psnr(picture: Image.Image, due: NDArray[np.float64]) -> float:
    return float(10 * np.log10(255**2 / max(1e-9, np.square(np.asarray(picture, float) - due).mean())))


def test_they_are_the_sources_frames_and_nearer_to_it_than_the_rungs(tools: Tools, plain: Clip) -> None:
    for one in took(tools, plain):
        assert one.of_source
        due = decoded(tools, plain.source, one.frame, SIZE)
        rung = Image.fromarray(decoded(tools, plain.rung, one.frame, SIZE).astype(np.uint8))
        assert psnr(one.picture, due) > max(35.0, psnr(rung, due) + 6)


def test_turned_ones_are_upright(tools: Tools, plain: Clip, tmp_path: Path) -> None:
    path = tmp_path / "turned.mp4"
    run_ffmpeg(tools, "-display_rotation", "90", "-i", plain.source, "-c", "copy", path)
    turned = encoded(tools, path, tmp_path)
    for one in took(tools, turned):
        assert (one.of_source, one.picture.size) == (True, (180, 320))
        assert psnr(one.picture, decoded(tools, path, one.frame, (180, 320))) > 30


def test_fields_are_made_whole_frames(tools: Tools, tmp_path: Path) -> None:
    fields = f"{PICTURE.replace('rate=25', 'rate=50')},tinterlace=interleave_top,setfield=tff"
    options = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "8", "-flags", "+ilme+ildct")
    made = clip(tools, tmp_path, "fields.mp4", fields, *options)
    deinterlaced = "bwdif=mode=send_field" if made.plan.rate == 50 else "bwdif=mode=send_frame"
    assert not made.plan.seekable
    for one in took(tools, made, [3, 20, 33]):
        assert one.of_source
        assert psnr(one.picture, decoded(tools, made.source, one.frame, SIZE, deinterlaced)) > 33


def test_hdr_is_shown_in_sdr(tools: Tools, tmp_path: Path) -> None:
    """As the rung is, and better."""
    source = mixed.hdr_clip(tools, tmp_path / "hdr.mp4", "PQ", seconds=0.6, size="320x180")
    good, bad = (tmp_path / name for name in ("good", "bad"))
    for directory in (good, bad):
        directory.mkdir()
    like, made = encoded(tools, source, good, crf=4), encoded(tools, source, bad)
    for one in took(tools, made, [12]):
        assert one.of_source
        due = decoded(tools, like.rung, one.frame, SIZE)
        rung = Image.fromarray(decoded(tools, made.rung, one.frame, SIZE).astype(np.uint8))
        assert psnr(one.picture, due) > max(30.0, psnr(rung, due) + 3)


@pytest.mark.parametrize("instead", ["another video", "none", "a broken one"])
def test_the_rungs_frames_instead(
    tools: Tools, plain: Clip, make_clip: Callable[..., Path], tmp_path: Path, instead: str
) -> None:
    """Where the source gives other pictures, or none."""
    source = make_clip()
    if instead != "another video":
        source = tmp_path / "v.mp4"
        source.write_bytes(b"" if instead == "none" else plain.source.read_bytes()[:30_000])
    for one in took(tools, plain, source=source):
        assert not one.of_source
        assert psnr(one.picture, decoded(tools, plain.rung, one.frame, SIZE)) > 35


def test_a_source_that_costs_too_much_is_left_alone(tools: Tools, plain: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be read from its middle, and is long, as far as that goes."""
    late = Clip(plain.source, plain.rung, plain.plan.model_copy(update={"seekable": False}))
    assert [one.of_source for one in took(tools, late, [70])] == [True]
    monkeypatch.setattr(taken, "PIXELS", 10 * 640 * 360)
    monkeypatch.setattr(taken, "TIMES", 0)
    assert [one.of_source for one in took(tools, late, [70])] == [False]
    assert [one.of_source for one in took(tools, plain, [77])] == [True]  # two frames behind a key frame
