"""Names of objects: what a key may be, and which keys are named by their content."""

from __future__ import annotations

import os
import re

from video_pipeline.errors import RequestError

_BY_CONTENT = re.compile(r"(?:blobs|videos/[^/]+/media)/(?:.*/)?([0-9a-f]{64})(?:\.[a-z0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_key(key: str) -> str:
    """The key, unchanged.

    Raises:
        RequestError: it is absolute, has an empty part or one that starts with ".", control characters, or is
            longer than S3's 1024 bytes.
    """
    parts = key.split("/")
    usable = all(part and not part.startswith(".") and len(os.fsencode(part)) <= 255 for part in parts)
    if not usable or _CONTROL.search(key) or len(os.fsencode(key)) > 1024:
        raise RequestError(f"object key {key!r}: use relative parts joined by '/', none empty or starting with '.'")
    return key


def content_hash(key: str) -> str | None:
    """The SHA-256 in a key under blobs/ or videos/<id>/media/: what lies there never changes. None for other keys."""
    named = _BY_CONTENT.fullmatch(key)
    return named[1] if named else None
