"""The first picture of a stream as ffmpeg decodes it, for codecs that ffprobe's build has no decoder for (PNG, ...)."""

from __future__ import annotations

import re
from pathlib import Path

from video_pipeline.errors import CommandFailed
from video_pipeline.media import ffmpeg, process
from video_pipeline.media.limits import Limits
from video_pipeline.media.tools import Tools

SECONDS = 60


def pixel_format(tools: Tools, path: Path, stream: int) -> str | None:
    """ffmpeg's name of it, such as "yuv420p"; None if no picture can be decoded."""
    argv: list[str | Path] = [tools.ffmpeg, "-hide_banner", "-nostdin", "-nostats", *ffmpeg.source(path)]
    argv += ["-map", f"0:{stream}", "-vf", "showinfo", "-frames:v", "1", "-f", "null", "-"]
    limits = Limits(cpu_seconds=SECONDS, memory=ffmpeg.MEMORY)
    try:
        log = process.run(argv, nice=tools.nice, limits=limits, stall_seconds=SECONDS, keep_log=True).stderr
    except CommandFailed:
        return None
    found = re.search(r"showinfo.* fmt:(\w+)", log)
    return found[1] if found else None
