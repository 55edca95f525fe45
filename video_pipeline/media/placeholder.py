"""A picture in about 25 bytes, to show while it loads (https://evanw.github.io/thumbhash/)."""

from __future__ import annotations

import base64

import thash
from PIL import Image

SIDE = 100
"""The largest picture that ThumbHash takes, pixels."""


def thumbhash(picture: Image.Image) -> str:
    """Base64 of its ThumbHash: average colour, shape and a rough picture."""
    small = picture.convert("RGBA")
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return base64.b64encode(bytes(thash.rgba_to_thumb_hash(small.width, small.height, list(small.tobytes())))).decode()
