"""Options of a job as people write them in one word of a command or one cell of a sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from video_pipeline.errors import RequestError
from video_pipeline.media.options import NO_PICTURE
from video_pipeline.portable import json_or_text


def fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a job by their Python names, as they stand in it; what is None or empty is left out."""
    return {to_camel(name): value for name, value in given.items() if value not in (None, (), [], {})}


def trim(text: str) -> dict[str, Any]:
    """START:END in seconds; either may be left out.

    Raises:
        RequestError: it has another form.
    """
    start, colon, end = (part.strip() for part in text.partition(":"))
    if not colon or not (start or end):
        raise RequestError(f"trim: {text!r}: write it as start:end in seconds, such as 1.5:10, 1.5: or :10")
    return {name: json_or_text(value) for name, value in (("start", start), ("end", end)) if value}


def moment(text: str) -> Any:
    """A number of seconds, or anything else as it is, such as 50%."""
    return json_or_text(text.strip())


def picture(text: str, beside: Path) -> str:
    """A file, a relative one in the directory `beside`; a file:// URL, or "none"."""
    text = text.strip()
    return text if text == NO_PICTURE or "://" in text else str((beside / text).absolute())


def sidecar(text: str, beside: Path) -> dict[str, str]:
    """LANGUAGE=FILE; a relative file is in the directory `beside`.

    Raises:
        RequestError: it has another form.
    """
    language, equals, source = (part.strip() for part in text.partition("="))
    if not equals or not language or not source:
        raise RequestError(f"subtitles: {text!r}: write it as language=file, such as en=subtitles.srt")
    if "://" not in source:
        source = str((beside / source).absolute())
    return {"source": source, "language": language}
