"""One file of several chunks, without encoding again."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from video_pipeline.media import ffmpeg
from video_pipeline.media.encoders import timescale
from video_pipeline.media.tools import Tools


def join(tools: Tools, chunks: Sequence[Path], frames: Sequence[int], rate: Fraction, out: Path) -> None:
    """Writes the chunks behind each other as one MP4 of one video track.

    Args:
        frames: of each chunk.
    """
    listed = out.with_suffix(".ffconcat")
    entries = [
        f"file {_quoted(path)}\nduration {float(count / rate):.6f}" for path, count in zip(chunks, frames, strict=True)
    ]
    listed.write_text("\n".join(["ffconcat version 1.0", *entries, ""]), "utf-8")
    ticks = timescale(rate) / rate
    # The list counts microseconds, which are no whole frames at 29.97.
    whole = f"setts=pts=round(PTS/{ticks})*{ticks}:dts=round(DTS/{ticks})*{ticks}:duration={ticks}"
    args = ["-f", "concat", "-safe", "0", "-protocol_whitelist", "file", "-i", ffmpeg.name(listed)]
    args += ["-map", "0:v", "-c", "copy", "-bsf:v", whole, "-video_track_timescale", str(timescale(rate))]
    args += ["-map_metadata", "-1", "-fflags", "+bitexact", ffmpeg.name(out)]
    try:
        ffmpeg.ffmpeg(tools, args)
    finally:
        listed.unlink()


def _quoted(path: Path) -> str:
    """As the list's reader takes it: in quotes, those inside of it outside of them."""
    return "'" + ffmpeg.name(path).replace("'", "'\\''") + "'"
