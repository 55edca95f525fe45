"""Video ids: the rule, and new ones."""

from __future__ import annotations

import re

from ulid import ULID

from video_pipeline.errors import RequestError

VIDEO_ID = r"[a-z0-9][a-z0-9-]{0,62}"
"""The whole id, as a regular expression."""


def check_video_id(text: str) -> str:
    """The id, unchanged.

    Raises:
        RequestError: it breaks the rule.
    """
    if not re.fullmatch(VIDEO_ID, text):
        raise RequestError(
            f"videoId {text!r}: use 1 to 63 of a-z, 0-9 and '-', the first a letter or digit, such as 'my-video-1'"
        )
    return text


def new_video_id() -> str:
    """A ULID in lower case: sorts by time, never repeats."""
    return str(ULID()).lower()
