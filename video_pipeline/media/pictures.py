"""JPEG files that are the same bytes every time."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image


def save(picture: Image.Image, path: Path, quality: int) -> None:
    """Progressive, without metadata."""
    picture.save(path, "JPEG", quality=quality, optimize=True, progressive=True)


def preview(path: Path, max_bytes: int) -> bytes:
    """The picture as a JPEG of at most `max_bytes`, smaller and coarser until it fits."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    for side, quality in ((640, 80), (640, 60), (480, 60), (320, 60), (240, 40), (120, 30)):
        small = picture.copy()
        small.thumbnail((side, side))
        out = io.BytesIO()
        small.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= max_bytes:
            break
    return out.getvalue()
