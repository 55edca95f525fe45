"""Clips of a bar that moves a known way, whole or woven of fields, and where the bar is in what comes out."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np

from video_pipeline import presets
from video_pipeline.media import probe
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import encoding

Array = np.ndarray
START, STEP, BAR = 20.5, 2.0, 30
"""Where the bar's middle is at first, how far it goes from moment to moment, and how wide it is, pixels."""
TFF, BFF = "setfield=tff", "setfield=bff"
INTERLACED = ("-flags", "+ildct+ilme")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3", "-g", "15")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-g", "25")


def moments(count: int, width: int = 320, height: int = 576) -> Array:
    """A bright bar that goes right, before a still picture; (moment, line, column), grey levels."""
    rng = np.random.default_rng(1)
    still = np.kron(rng.integers(40, 90, (height // 16 + 1, width // 16 + 1)), np.ones((16, 16)))[:height, :width]
    columns = np.arange(width) + 0.5
    middles = START + STEP * np.arange(count)[:, None]
    bar = np.clip(BAR / 2 + 0.5 - np.abs(columns - middles), 0, 1)[:, None, :]
    # Rows of its own, soft ones: hard ones would flicker on television.
    bright = 200 + 20 * np.sin(np.arange(height) / 9)[None, :, None]
    return np.asarray(np.rint(still * (1 - bar) + bright * bar).astype(np.uint8))


def woven(whole: Array, *, top_first: bool = True) -> Array:
    """Two moments in each picture."""
    pictures = np.empty((len(whole) // 2, *whole.shape[1:]), np.uint8)
    first, second = (0, 1) if top_first else (1, 0)
    pictures[:, first::2] = whole[::2, first::2][: len(pictures)]
    pictures[:, second::2] = whole[1::2, second::2][: len(pictures)]
    return pictures


def pulled_down(whole: Array, *, top_first: bool = True) -> Array:
    """Each moment for two and three fields in turn."""
    fields = [moment for n, moment in enumerate(whole) for _ in range(2 + n % 2)]
    return woven(np.array(fields), top_first=top_first)


def write(tools: Tools, path: Path, pictures: Array, rate: str, filters: str, *codec: str) -> Path:
    height, width = pictures.shape[1:]
    argv = [str(tools.ffmpeg), "-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}"]
    argv += ["-r", rate, "-i", "-", "-vf", f"format=yuv420p,{filters}", *codec, str(path)]
    subprocess.run(argv, input=pictures.tobytes(), check=True, timeout=120)
    return path


def run(tools: Tools, args: list[str]) -> None:
    subprocess.run([str(tools.ffmpeg), "-v", "fatal", "-nostdin", *args], check=True, timeout=120)


def published(tools: Tools, clip: Path, out: Path, **preset: object) -> tuple[EncodingPlan, Array]:
    """The plan, and the frames of our largest rendition as grey levels."""
    table = presets.load("draft").model_copy(update=preset)
    plan = make_plan(probe.probe(tools, clip), "0" * 64, table)
    encoding.encode(tools, clip, plan, plan.rungs[:1], out)
    rung = plan.rungs[0]
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(out / f"{rung.name}.mp4"), "-pix_fmt", "gray"]
    raw = subprocess.run([*argv, "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=120).stdout
    return plan, np.frombuffer(raw, np.uint8).reshape(-1, rung.height, rung.width)


def middles(frames: Array, parity: slice = slice(None), width: int | None = None) -> Array:
    """Where the bar's middle is in each frame, of all lines or of some; in pixels of a picture of that width."""
    light = (frames[:, parity].astype(float).mean(1) - 120).clip(0)
    scale = (width or frames.shape[2]) / frames.shape[2]
    return np.asarray((light * (np.arange(frames.shape[2]) + 0.5)).sum(1) / light.sum(1) * scale)


def torn(frames: Array) -> float:
    """How far the bar in the upper lines is at most from that in the lower ones."""
    return float(np.abs(middles(frames, slice(0, None, 2)) - middles(frames, slice(1, None, 2))).max())


def path_of(count: int, every: Fraction = Fraction(1)) -> Array:
    """Where it should be in frames that show every `every`th moment."""
    return START + STEP * float(every) * np.arange(count)
