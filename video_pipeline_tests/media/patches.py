"""Clips of known patches, and what is published of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from video_pipeline import presets
from video_pipeline.media import probe
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import colorimetry, encoding
from video_pipeline_tests.media.colorimetry import Array

DRAFT = presets.load("draft")
H264 = DRAFT.families["h264"]
RUNGS = tuple(rung.model_copy(update={"crf": 8}) for rung in H264.rungs)
FINE = DRAFT.model_copy(update={"h264": H264.model_copy(update={"rungs": RUNGS})})
"""What is measured is the colours, not the compression."""
SIGNAL = colorimetry.CHECKER / 255
LIGHT = SIGNAL**colorimetry.DISPLAY
MEAN, WORST = 0.6, 1.5
"""CIEDE2000 that SDR may be off."""
TAGS = {
    "pix_fmt": "yuv420p",
    "color_range": "tv",
    "color_space": "bt709",
    "color_primaries": "bt709",
    "color_transfer": "bt709",
    "chroma_location": "left",
}
"""That every rendition must carry."""
FFV1 = ("-c:v", "ffv1")


def write(tools: Tools, path: Path, codes: Array, pix_fmt: str, tags: str, *codec: str) -> Path:
    """Three frames of one picture: (height, width, channels) codes of 8 or 16 bits, channels as `pix_fmt` has them."""
    height, width = codes.shape[:2]
    data = codes.tobytes() if pix_fmt.startswith("rgb") else np.moveaxis(codes, -1, 0).tobytes()
    argv = [str(tools.ffmpeg), "-v", "error", "-f", "rawvideo", "-pix_fmt", pix_fmt, "-s", f"{width}x{height}"]
    argv += ["-r", "25", "-i", "-", "-vf", tags, *codec, str(path)]
    subprocess.run(argv, input=data * 3, check=True, timeout=120)
    return path


def published(tools: Tools, clip: Path, out: Path, **preset: object) -> Array:
    """The light of our largest rendition's patches, on a standard display."""
    plan = make_plan(probe.probe(tools, clip), "0" * 64, FINE.model_copy(update=preset))
    encoding.encode(tools, clip, plan, plan.rungs[:1], out)
    rung = plan.rungs[0]
    path = out / f"{rung.name}.mp4"
    said = ffprobe.streams(tools, path)[0]
    assert {name: said.get(name) for name in TAGS} == TAGS
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-frames:v", "1"]
    raw = subprocess.run([*argv, "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=120).stdout
    size = rung.width * rung.height
    luma = np.frombuffer(raw[:size], np.uint8).reshape(rung.height, rung.width)
    chroma = np.frombuffer(raw[size:], np.uint8).reshape(2, rung.height // 2, rung.width // 2)
    whole = np.stack([luma, *(plane.repeat(2, 0).repeat(2, 1) for plane in chroma)], -1)
    return np.asarray(colorimetry.rgb(colorimetry.centres(whole.astype(float))) ** colorimetry.DISPLAY)


def off(found: Array, light: Array) -> Array:
    return colorimetry.apart(colorimetry.lab(light), colorimetry.lab(found))


def picture(
    signal: Array, pix_fmt: str, matrix: str, *, full: bool = False, size: tuple[int, int] = (384, 256)
) -> Array:
    """The patches in YUV of that format."""
    bits = next((bits for bits in (10, 12) if f"p{bits}" in pix_fmt), 8)
    codes = colorimetry.grid(colorimetry.yuv(signal, matrix, bits, full), *size)
    return codes.astype(np.uint8 if bits == 8 else "<u2")


def check(found: Array, light: Array, mean: float = MEAN, worst: float = WORST) -> None:
    apart = off(found, light)
    print(f"CIEDE2000: mean {apart.mean():.2f}, worst {apart.max():.2f}")
    assert apart.mean() < mean, apart.round(2)
    assert apart.max() < worst, apart.round(2)
