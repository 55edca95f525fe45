"""A program of its own: decodes one picture that somebody brought, and writes it as a plain PNG of sRGB.

Run by its path, with limits, by `custom_picture`: decoders of pictures are large, and the file may be made to harm. It
knows nothing of this package. Its one argument is JSON, see `main`, and so is what it prints: {"size": [width, height]}
as it was found, {"unknown": true} of what Pillow cannot name, or {"error": a sentence}.
"""

from __future__ import annotations

import io
import json
import math
import struct
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

FORMATS = (
    *("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "DIB", "JPEG2000", "PPM", "PSD", "QOI", "ICO", "ICNS"),
    *("DDS", "SGI", "FITS"),
)
"""Those that begin with something of their own: text or a video must not pass for one. EPS and WMF run programs."""
BROKEN = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, EOFError, struct.error)
"""What Pillow's decoders raise for files that are not as they should be."""
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's orientations; 1 is upright."""
SRGB = ImageCms.createProfile("sRGB")


def main(asked: dict[str, Any]) -> dict[str, Any]:
    """
    Args:
        asked: `picture` and `out`, paths; `most_pixels`, `most_side`, `least_side`; `upright`, whether it is so
            already; `background`, RGB; `shape`, width and height of what is wanted; `rule`, how it takes that shape:
            crop, fit, or whole, which keeps its own and covers the other.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = asked["most_pixels"]
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(asked["picture"], formats=FORMATS) as opened:
            wrong = _size(opened.size, asked)
            if wrong:
                return {"error": wrong}
            found = opened.size
            opened.draft(None, (2 * max(asked["shape"]), 2 * max(asked["shape"])))
            opened.load()
            picture = _made(opened, asked)
    except UnidentifiedImageError:
        return {"unknown": True}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return {"error": f"is too large; at most {asked['most_pixels'] // 1_000_000} megapixels are read"}
    except MemoryError:
        return {"error": "needs more memory than a picture may"}
    except BROKEN as error:
        return {"error": f"is damaged or cut off ({error})"}
    picture.save(asked["out"], "PNG", compress_level=1)
    return {"size": found}


def _size(size: tuple[int, int], asked: dict[str, Any]) -> str:
    """What is wrong with it; "" if nothing is."""
    width, height = size
    if max(size) > asked["most_side"] or width * height > asked["most_pixels"]:
        most = f"at most {asked['most_side']} on a side and {asked['most_pixels'] // 1_000_000} megapixels are read"
        return f"has {width}x{height} pixels; {most}"
    if min(size) < asked["least_side"]:
        return f"has {width}x{height} pixels; {asked['least_side']} on each side are the least"
    return ""


def _made(opened: Image.Image, asked: dict[str, Any]) -> Image.Image:
    """RGB, upright, in the shape that is asked for."""
    icc, turn = opened.info.get("icc_profile"), 1 if asked["upright"] else _orientation(opened)
    picture = _bytes(opened)
    upright = picture.size[::-1] if turn >= 5 else picture.size
    # Halved by whole numbers first, far above what is wanted: the rest needs less memory.
    reach = max if asked["rule"] == "fit" else min
    spare = int(reach(own / due for own, due in zip(upright, asked["shape"], strict=True)) / 2)
    if spare > 1:
        picture = picture.reduce(spare)
    if turn in TURNS:
        picture = picture.transpose(TURNS[turn])
    background = tuple(asked["background"])
    return _shaped(_opaque(picture, icc, background), asked["shape"], asked["rule"], background)


def _orientation(picture: Image.Image) -> int:
    """1 to 8; what nobody can read turns nothing."""
    try:
        found = picture.getexif().get(ORIENTATION)
    except BROKEN:
        return 1
    return found if found in TURNS else 1


def _bytes(picture: Image.Image) -> Image.Image:
    """In 8 bits, without a palette."""
    if picture.mode.startswith("I;16") or picture.mode == "I":
        if picture.mode != "I":
            picture = picture.convert("I")
        return picture.point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if picture.mode == "F":
        return picture.point(lambda value: value * 255 + 0.5).convert("L")
    if picture.mode in ("La", "RGBa", "PA"):
        return picture.convert("LA" if picture.mode == "La" else "RGBA")
    if picture.mode in ("L", "RGB", "P", "1") and picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _opaque(picture: Image.Image, icc: bytes | None, background: tuple[int, ...]) -> Image.Image:
    """In sRGB, over the background where it is transparent."""
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    if alpha is not None:
        picture = picture.convert(picture.mode[:-1])
    colours = _srgb(picture, icc)
    if alpha is None:
        return colours
    under = Image.new("RGB", colours.size, background)
    under.paste(colours, mask=alpha)
    return under


def _srgb(picture: Image.Image, icc: bytes | None) -> Image.Image:
    source: Any = ImageCms.createProfile("LAB") if picture.mode == "LAB" else None
    try:
        if icc:
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if source is not None:
            converted = ImageCms.profileToProfile(picture, source, SRGB, outputMode="RGB")
            if converted is not None:
                return converted
    except (ImageCms.PyCMSError, *BROKEN):
        pass  # one that is broken, or of another kind of picture, says nothing of this one
    return picture.convert("RGB")


def _shaped(picture: Image.Image, shape: Sequence[int], rule: str, background: tuple[int, ...]) -> Image.Image:
    """In the ratio of `shape`, as large as that at most and never enlarged."""
    across, down = (own / due for own, due in zip(picture.size, shape, strict=True))
    lanczos = Image.Resampling.LANCZOS
    if rule == "crop":
        factor = min(across, down)
        width, height = (min(float(own), factor * due) for own, due in zip(picture.size, shape, strict=True))
        left, top = (picture.width - width) / 2, (picture.height - height) / 2
        return picture.resize(_even(shape, factor), lanczos, (left, top, left + width, top + height))
    factor = max(across, down) if rule == "fit" else min(across, down)
    if factor > 1:
        width, height = (max(1, round(side / factor)) for side in picture.size)
        picture = picture.resize((width, height), lanczos)
    if rule == "whole":
        return picture
    bars = Image.new("RGB", _even(shape, factor), background)
    bars.paste(picture, ((bars.width - picture.width) // 2, (bars.height - picture.height) // 2))
    return bars


def _even(shape: Sequence[int], factor: float) -> tuple[int, int]:
    """No smaller than what is to fit in, but for what arithmetic leaves over."""
    width, height = (2 * math.ceil(side * min(1.0, factor) / 2 - 1e-6) for side in shape)
    return width, height


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
