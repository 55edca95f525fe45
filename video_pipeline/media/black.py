"""Stretches of black, from a small rung."""

from __future__ import annotations

import re
from pathlib import Path

from video_pipeline.media import process
from video_pipeline.media.model import EncodingPlan, Span
from video_pipeline.media.tools import Tools

SECONDS = 0.2


def detect(tools: Tools, path: Path, plan: EncodingPlan) -> tuple[Span, ...]:
    """Where at least 98 % of the picture are black (ffmpeg's blackdetect defaults) for 0.2 s or more."""
    argv: list[str | Path] = [tools.ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-i", path]
    argv += ["-vf", f"blackdetect=d={SECONDS}", "-f", "null", "-"]
    log = process.run(argv, nice=tools.nice, keep_log=True).stderr
    found = re.findall(r"black_start:(\S+) black_end:(\S+)", log)
    end = float(plan.duration)
    return tuple(Span(start=float(start), end=min(float(stop), end)) for start, stop in found)
