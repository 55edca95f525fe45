"""Combing: whether the two fields of a picture are of different moments, measured on the pixels.

A picture's lines are woven anew from it and the next one. Of whole frames both ways to weave mix two moments, and are
rougher than the pictures. Of fields one way joins neighbours in time, and is as rough as the pictures are.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np

from video_pipeline.media import ffmpeg
from video_pipeline.media.technical import VideoStream
from video_pipeline.media.tools import Tools

PICTURES = 24
MOTION = 0.2
"""Grey levels of roughness that weaving must add, else nothing moves and nothing can be told."""
FIELDS = 0.6
"""Whole frames are at 0.95 and more, real fields at 0.2 and less; 0.78 is ffmpeg's testsrc2, which fools idet."""


def are_fields(tools: Tools, path: Path, video: VideoStream, start: float) -> bool:
    """Whether the pictures from `start` seconds on are fields; no if nothing moves.

    Raises:
        CommandFailed: they cannot be decoded.
    """
    data = bytearray()
    args = ["-noaccurate_seek", "-ss", f"{start:.3f}", *ffmpeg.source(path), "-map", f"0:{video.index}"]
    args += ["-vf", f"scale={video.width}:{video.height},format=gray", "-frames:v", str(PICTURES)]
    ffmpeg.ffmpeg(tools, ["-noautorotate", *args, "-f", "rawvideo", "-"], on_output=data.extend)
    size = video.width * video.height
    whole = len(data) // size
    pictures = np.frombuffer(bytes(data[: whole * size]), np.uint8).reshape(whole, video.height, video.width)
    ratios = [ratio for n in range(whole - 1) if (ratio := _ratio(pictures[n], pictures[n + 1])) is not None]
    return bool(ratios) and statistics.median(ratios) < FIELDS


def _ratio(this: np.ndarray, following: np.ndarray) -> float | None:
    """What the smoother way to weave adds to a picture's roughness, in parts of what the rougher one adds."""
    own = _roughness(this, this)
    added = sorted((_roughness(following, this) - own, _roughness(this, following) - own))
    return added[0] / added[1] if added[1] > MOTION else None


def _roughness(even: np.ndarray, odd: np.ndarray) -> float:
    """Mean second difference from line to line of a picture woven from the lines of two."""
    woven = even.astype(np.int16)
    woven[1::2] = odd[1::2]
    return float(np.abs(2 * woven[1:-1] - woven[:-2] - woven[2:]).mean())
