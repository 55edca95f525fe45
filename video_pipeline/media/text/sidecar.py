"""A subtitle file that came with a source: which format it is, and its text as UTF-8."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Literal

from video_pipeline.errors import SourceError

MOST_BYTES = 20 * 2**20
"""Of one file: ten times the longest film's, fully styled."""
FORMATS = "SubRip (.srt), Advanced SubStation Alpha (.ass, .ssa) or WebVTT (.vtt)"
Format = Literal["srt", "ass", "webvtt"]
_TIME = r"\d{1,2}:\d\d[,.]\d{1,3}"
_CUES: dict[Format, re.Pattern[str]] = {
    "srt": re.compile(rf"^[ \t]*\d+:{_TIME}[ \t]*-->[ \t]*\d+:{_TIME}", re.MULTILINE),
    "webvtt": re.compile(rf"^[ \t]*(?:\d+:)?{_TIME}[ \t]*-->[ \t]*(?:\d+:)?{_TIME}", re.MULTILINE),
    "ass": re.compile(r"^Dialogue:", re.MULTILINE | re.IGNORECASE),
}
"""How the first subtitle of each is told."""


def read(path: Path, field: str, name: str) -> tuple[Format, str]:
    """Its format and text, lines ended by a line feed.

    Args:
        field: of the request, and the file's name, for errors.

    Raises:
        SourceError: it is too large, or no subtitle file.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SourceError(f"{field} {name}: {size} bytes is too large for subtitles; at most {MOST_BYTES} are read")
    data = path.read_bytes()
    text = decode(data)
    kind = _format(text) if text is not None else None
    if text is None or kind is None:
        raise SourceError(f"{field} {name}: is not a subtitle file; give {FORMATS}")
    if not _CUES[kind].search(text):
        raise SourceError(f"{field} {name}: there is no subtitle in it; give a file that has some, or leave it out")
    return kind, text


def decode(data: bytes) -> str | None:
    """The text, None if it is none.

    As its byte order mark says. Without one, UTF-16 if many bytes at even places alone, or at odd ones alone, are zero;
    UTF-8 if it can be read so; else Windows-1252, what old programs of western Europe and America wrote.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return _lines(data[len(mark) :].decode(encoding, "replace"))
    even, odd = data[:4096:2].count(0), data[1:4096:2].count(0)
    if max(even, odd) > len(data[:4096]) / 20 and min(even, odd) <= max(even, odd) / 10:
        return _lines(data.decode("utf-16-be" if even > odd else "utf-16-le", "replace"))
    if b"\0" in data:
        return None
    try:
        return _lines(data.decode("utf-8"))
    except UnicodeDecodeError:
        # The five bytes that Windows-1252 leaves open are as in Latin-1.
        return _lines(data.decode("latin-1").translate(_WINDOWS))


_WINDOWS = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(128, 160)}


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _format(text: str) -> Format | None:
    start = text.lstrip("\ufeff \t\n")
    if re.match(r"WEBVTT(?=\s|$)", start):
        return "webvtt"
    if re.match(r"\[Script Info\]", start, re.IGNORECASE) or re.search(r"^\[V4\+? Styles\]", text, re.M | re.I):
        return "ass"
    # A web server's error page may well hold an arrow.
    first = _CUES["srt"].search(text)
    if first and len(text[: first.start()].strip().splitlines()) <= 3:
        return "srt"
    return None
