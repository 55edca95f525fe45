"""JSON that every program can read. Python's own also knows NaN, Infinity and halves of characters, which neither a
database nor another language takes."""

from __future__ import annotations

import json
from typing import Any

from video_pipeline.errors import RequestError


def is_utf8(text: str) -> bool:
    """Not if it came from bytes that are none, or from JSON with half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_json(name: str, value: object) -> None:
    """
    Raises:
        RequestError: no JSON document can hold the value; the sentence begins with `name`.
    """
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"{name}: cannot be written as JSON: {error}") from None
    if not is_utf8(text):
        raise RequestError(f"{name}: cannot be written as JSON: it has text that is not UTF-8")


def json_or_text(text: str) -> Any:
    """The value that people wrote as JSON; else the text itself."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(word: str) -> None:
    """NaN and Infinity are Python's, not JSON's: a text like any other."""
    raise ValueError(word)
