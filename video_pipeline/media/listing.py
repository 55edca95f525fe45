"""What ffprobe says, read without trust: numbers that are none, and the reason why a file cannot be read."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from video_pipeline.media import ffmpeg, process
from video_pipeline.media.limits import Limits
from video_pipeline.media.tools import Tools

SECONDS = 60
"""Of CPU time, and without any progress: enough to list the packets of a day."""
# What an MP4 or MOV file starts with; anything else was only named so.
MP4_BOXES = frozenset((b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"))
LIMITS = Limits(cpu_seconds=SECONDS, memory=ffmpeg.MEMORY)


def command(tools: Tools, path: Path, *args: str) -> list[str | Path]:
    """An ffprobe command about a file from outside."""
    return [tools.ffprobe, "-v", "error", *args, *ffmpeg.source(path)]


def ask(tools: Tools, path: Path, *args: str) -> bytes:
    """What that command prints. Raises as `process.run`."""
    return process.run(command(tools, path, *args), nice=tools.nice, limits=LIMITS, stall_seconds=SECONDS).stdout


def reason(log: str, path: Path) -> str:
    """ffprobe's last words, in ours where its own mislead."""
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        return "it is empty"
    if "moov atom not found" in log and start[4:] in MP4_BOXES:
        return "its index (moov atom) is missing; the file was probably cut off while it was written"
    if "moov atom not found" in log or "Invalid data found when processing input" in log:
        return "it is not a video file that can be read"
    lines = [line for line in log.splitlines() if line.strip()]
    last = lines[-1].replace(str(path), "the file") if lines else "unknown error"
    return "it cannot be read as media: " + re.sub(r"^(\[[^]]*\] ?)+", "", last)


def fraction(text: object) -> Fraction | None:
    """None for what ffprobe writes when it does not know: "N/A", "0/0", "0"."""
    try:
        return Fraction(str(text)) or None
    except (ValueError, ZeroDivisionError):
        return None


def integer(text: object) -> int | None:
    try:
        return int(str(text))
    except ValueError:
        return None
