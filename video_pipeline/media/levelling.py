"""Bring tracks to a loudness, and keep their peaks below full scale."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from video_pipeline.media import ffmpeg
from video_pipeline.media.model import AudioPlan
from video_pipeline.media.tools import Tools

CEILING = -3.0
"""dB of full scale. EBU R 128 allows a true peak of -1 dBTP; AAC makes up to 2.6 dB more of full-scale noise, which is
the worst."""
MOST = 30.0
"""dB. What needs more than this to be loud is noise."""
CLOSE = 0.3
"""LU that are near enough."""
PASSES = 4
_GATE = -70.0
"""LUFS; what ffmpeg prints for nothing (ITU-R BS.1770)."""


def limited(sample_rate: int) -> list[str]:
    """Filters that leave no peak above the ceiling, also between the samples: they are looked for at four times the
    rate, as ITU-R BS.1770 has it."""
    ceiling = f"{10 ** (CEILING / 20):.6f}"
    limiter = f"alimiter=limit={ceiling}:attack=5:release=50:level=disabled:latency=1"
    return [f"aresample={4 * sample_rate}", limiter, f"aresample={sample_rate}:osf=fltp"]


def gains(
    tools: Tools, tracks: Sequence[AudioPlan], measuring: Callable[[Mapping[str, float]], list[str]]
) -> dict[str, float]:
    """dB by which to raise each track that has a target.

    Measured again with the gain, because what the limiter takes off peaks is missing in the loudness.

    Args:
        measuring: ffmpeg's arguments to measure every track with these gains.

    Raises:
        CommandFailed: see `ffmpeg.ffmpeg`.
    """
    targets = {track.name: track.loudness for track in tracks if track.loudness is not None}
    found = dict.fromkeys(targets, 0.0)
    for _ in range(PASSES if targets else 0):
        off = {name: targets[name] - level for name, level in _levels(tools, measuring(found)).items() if name in found}
        found |= {name: min(MOST, found[name] + missing) for name, missing in off.items()}
        if all(abs(missing) <= CLOSE for missing in off.values()):
            break
    return found


def _levels(tools: Tools, args: Sequence[str]) -> dict[str, float]:
    """LUFS of each track, without those that are silent."""
    log = bytearray()
    # The summaries are said at a level of the log that we do not ask for elsewhere.
    ffmpeg.ffmpeg(tools, ["-loglevel", "info", *args], on_log=log.extend)
    pattern = r"\[ebur128@([\w-]+) @ \w+\] Summary:.*?I:\s+(\S+) LUFS"
    levels = {name: float(level) for name, level in re.findall(pattern, log.decode("utf-8", "replace"), re.DOTALL)}
    return {name: level for name, level in levels.items() if math.isfinite(level) and level > _GATE}
