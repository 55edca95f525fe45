"""Text tracks out of a source and out of the files that came with it, as cues: read and decoded by ffmpeg."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from video_pipeline.errors import CommandFailed
from video_pipeline.media import ffmpeg, process
from video_pipeline.media.limits import Limits
from video_pipeline.media.model import TextPlan
from video_pipeline.media.text import markup
from video_pipeline.media.text.cues import Cue
from video_pipeline.media.text.sidecar import Format
from video_pipeline.media.tools import Tools

AHEAD = 100_000
"""Seconds added to all times on the way: a container of Matroska has no time before 0, a track may."""
MOST_BYTES = 32 * 2**20
"""Of all decoded text of a source."""
CLUSTER = b"\x1f\x43\xb6\x75"
"""What begins a group of packets in Matroska (RFC 9559, 5.1.3)."""
ERASED = 16_000
"""Milliseconds after which a television set takes a caption away if nothing more comes (CTA-608-E, C.9)."""
SECONDS = 120
LIMITS = Limits(cpu_seconds=SECONDS, memory=ffmpeg.MEMORY)
_TO_TEXT = ["-c:s", "ass", "-map_metadata", "-1", "-output_ts_offset", str(AHEAD), "-f", "matroska"]


def streams(tools: Tools, source: Path, plans: Sequence[TextPlan], scratch: Path) -> list[list[Cue]]:
    """The cues of streams of the source, in the order of `plans`; one read of the file for all.

    Raises:
        CommandFailed: one cannot be decoded.
    """
    out = scratch / "streams.mkv"
    args = [*ffmpeg.source(source), *(word for plan in plans for word in ("-map", f"0:{plan.stream}"))]
    return _cues(tools, args, plans, out)


def captions(tools: Tools, source: Path, plan: TextPlan, scratch: Path) -> list[Cue]:
    """The cues of closed captions in the pictures, which all have to be decoded for that. Raises as `streams`."""
    # By link: a filter's arguments give other meanings to what a file's name may hold.
    link = scratch / "captioned"
    link.symlink_to(source.resolve())
    options = ":".join(f"{name}={value}" for name, value in ffmpeg.READER_OPTIONS.items())
    graph = f"movie={link.name}:si={plan.stream}:format_opts={_quoted(options)}[out0+subcc]"
    args = ["-copyts", "-f", "lavfi", "-i", graph, "-map", "0:s"]
    return _cues(tools, args, [plan], scratch / "captions.mkv", cwd=scratch)[0]


def sidecar(tools: Tools, kind: Format, text: str, plan: TextPlan, scratch: Path) -> list[Cue]:
    """The cues of a file that came with the source. Raises as `streams`."""
    path = scratch / f"sidecar.{kind}"
    path.write_text(text, "utf-8", newline="\n")
    args = ["-copyts", "-protocol_whitelist", "file", "-format_whitelist", kind, "-f", kind, "-i", str(path)]
    return _cues(tools, [*args, "-map", "0:s:0"], [plan], scratch / "sidecar.mkv")[0]


def _quoted(value: str) -> str:
    """For a filter's argument inside a graph (https://ffmpeg.org/ffmpeg-filters.html, 4.1)."""
    return "'" + re.sub(r"([\\:'])", r"\\\1", value) + "'"


def _cues(
    tools: Tools, args: Sequence[str], plans: Sequence[TextPlan], out: Path, cwd: Path | None = None
) -> list[list[Cue]]:
    ffmpeg.ffmpeg(tools, [*args, *_TO_TEXT, "-fs", str(MOST_BYTES), str(out)], cwd=cwd)
    written = out.read_bytes()
    if len(written) >= MOST_BYTES:
        raise CommandFailed("ffmpeg", 0, f"there are more than {MOST_BYTES} bytes of text in it")
    if CLUSTER not in written:
        return [[] for _ in plans]  # ffprobe opens no file without a packet
    argv: list[str | Path] = [tools.ffprobe, "-v", "error", "-show_streams", "-show_packets", "-show_data"]
    entries = "packet=stream_index,pts,duration,data:stream=index,time_base,extradata"
    argv += ["-show_entries", entries, "-of", "json", out]
    found = process.run(argv, nice=tools.nice, limits=LIMITS, stall_seconds=SECONDS).stdout
    return list(_read(json.loads(found), plans))


def _read(table: dict[str, Any], plans: Sequence[TextPlan]) -> Iterator[list[Cue]]:
    for number, plan in enumerate(plans):
        stream: dict[str, Any] = next((s for s in table.get("streams", []) if s["index"] == number), {})
        tick = Fraction(stream.get("time_base", "1/1000"))
        italic = _italic_styles(_bytes(stream.get("extradata", "")).decode("utf-8", "replace"))
        cues = []
        for packet in table.get("packets", []):
            event = _bytes(packet.get("data", "")).decode("utf-8", "replace").rstrip("\0").split(",", 8)
            if packet["stream_index"] != number or len(event) < 9 or "pts" not in packet:
                continue
            start = packet["pts"] * tick - AHEAD - plan.zero
            lasts = packet.get("duration", 0) * tick
            text = markup.webvtt(event[8], literal_braces=plan.codec not in ("ass", "ssa"), italic=event[2] in italic)
            cues.append(Cue(round(start * 1000), round((start + lasts) * 1000) if lasts > 0 else None, text))
        yield _ended(cues, plan.zero) if plan.codec == "eia_608" else cues


def _ended(cues: list[Cue], zero: Fraction) -> list[Cue]:
    """Captions of which the last one ends also if nothing in the source ends it.

    ffmpeg gives that one the time since the screen changed before, which says nothing; a caption that was ended after
    just that time is shown too long.
    """
    if not cues:
        return cues
    *before, last = cues
    changed = -round(zero * 1000)
    if before:
        start, end, _ = before[-1]
        changed = start if end is None or end >= last.start else end
    guessed = last.end is None or abs(last.end - last.start - (last.start - changed)) <= 1
    return [*before, last._replace(end=last.start + ERASED)] if guessed else cues


def _bytes(dump: str) -> bytes:
    """Of ffprobe's hexadecimal listing: an address, groups of digits, and after two spaces the characters."""
    lines = (line.partition(": ")[2].partition("  ")[0] for line in dump.splitlines())
    return bytes.fromhex("".join(lines).replace(" ", ""))


def _italic_styles(header: str) -> frozenset[str]:
    """Names of the styles of an ASS script that are italic."""
    columns: list[str] = []
    italic = set()
    for line in header.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "Format" and "Italic" in value:
            columns = [column.strip() for column in value.split(",")]
        elif key.strip() == "Style" and columns:
            style = dict(zip(columns, (field.strip() for field in value.split(",")), strict=False))
            if style.get("Italic") not in (None, "0"):
                italic.add(style.get("Name", ""))
    return frozenset(italic)
