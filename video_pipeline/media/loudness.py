"""Loudness by EBU R128, true peak and silence, from one pass over the encoded sound."""

from __future__ import annotations

import math
import re
from pathlib import Path

from video_pipeline.media import process
from video_pipeline.media.model import Span
from video_pipeline.media.products import Loudness
from video_pipeline.media.tools import Tools

SILENCE_DB = -60
SILENCE_SECONDS = 0.5
_GATE = -70.0
"""LUFS; what lies below does not count as programme (ITU-R BS.1770), so it is what ffmpeg prints for nothing."""


def measure(tools: Tools, path: Path) -> tuple[Loudness, tuple[Span, ...]]:
    """Loudness of an audio track, and where it is silent: below -60 dB for half a second or more."""
    graph = f"silencedetect=noise={SILENCE_DB}dB:duration={SILENCE_SECONDS},ebur128=peak=true:framelog=quiet"
    argv: list[str | Path] = [
        tools.ffmpeg,
        "-hide_banner",
        "-nostdin",
        "-nostats",
        "-i",
        path,
        "-af",
        graph,
        "-f",
        "null",
        "-",
    ]
    log = process.run(argv, nice=tools.nice, keep_log=True).stderr
    summary = log[log.rfind("Summary:") :]
    integrated = _number(r"I:\s+(\S+) LUFS", summary)
    silent = integrated is None or integrated <= _GATE
    loudness = Loudness(
        integrated=None if silent else integrated,
        range=None if silent else _number(r"LRA:\s+(\S+) LU\b", summary),
        true_peak=_number(r"Peak:\s+(\S+) dBFS", summary),
    )
    starts = [float(text) for text in re.findall(r"silence_start: (\S+)", log)]
    ends = [float(text) for text in re.findall(r"silence_end: (\S+)", log)]
    return loudness, tuple(Span(start=max(0.0, a), end=b) for a, b in zip(starts, ends, strict=False))


def _number(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    value = float(found[1]) if found else math.nan
    return value if math.isfinite(value) else None
