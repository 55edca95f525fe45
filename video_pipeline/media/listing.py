"""What ffprobe says, read without trust: endless, or numbers that are none."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from video_pipeline.media import ffmpeg, process
from video_pipeline.media.limits import Limits
from video_pipeline.media.tools import Tools

SECONDS = 60
"""Of CPU time, and without any progress: enough to list the packets of a day."""
LIMITS = Limits(cpu_seconds=SECONDS, memory=ffmpeg.INDEX_MEMORY)
MOST_BYTES = 2**26
"""Of what ffprobe says: tags, chapters and streams without end would fill our own memory."""


class TooMuch(Exception):
    """ffprobe says more than anybody wants to know."""


def command(tools: Tools, path: Path, *args: str) -> list[str | Path]:
    """An ffprobe command about a file from outside."""
    return [tools.ffprobe, "-v", "error", *args, *ffmpeg.source(path)]


def ask(tools: Tools, path: Path, *args: str) -> tuple[bytes, str]:
    """What that command prints, and its log.

    Raises:
        TooMuch: more than `MOST_BYTES`.
        CommandFailed, ...: as `process.run`.
    """
    said = bytearray()

    def take(data: bytes) -> None:
        said.extend(data)
        if len(said) > MOST_BYTES:
            raise TooMuch

    argv = command(tools, path, *args)
    done = process.run(argv, nice=tools.nice, limits=LIMITS, stall_seconds=SECONDS, on_stdout=take)
    return bytes(said), done.stderr


def log(tools: Tools, path: Path, stream: int) -> str:
    """What ffprobe warns of when it reads the packets of a stream."""
    argv: list[str | Path] = [tools.ffprobe, "-v", "warning", "-select_streams", str(stream)]
    argv += ["-show_entries", "packet=pts", "-read_intervals", "%+#1", *ffmpeg.source(path)]
    return process.run_all([argv], nice=tools.nice, limits=LIMITS, stall_seconds=SECONDS, check=False)[0].stderr


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
