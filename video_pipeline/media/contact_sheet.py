"""Pictures on one sheet, each with a few words below: small enough for the event log of Dagster."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from video_pipeline.media.image_products import Thumbnails

COLUMNS = 3
GAP = 4
BACK, INK = (24, 24, 24), (235, 235, 235)
LINE = 1.35
"""Height of a line of words, in that of its letters."""
Titled = tuple[Path, Sequence[str]]


def draw(pictures: Sequence[Titled], side: int, columns: int = COLUMNS, tall: float = 1) -> Image.Image:
    """The sheet.

    Args:
        pictures: files, each with its lines of words.
        side: longer side of a picture, pixels.
        tall: height of a picture at most, in terms of that.
    """
    letters = max(9, min(16, side // 15))
    font = ImageFont.load_default(letters)
    tiles = []
    for path, _ in pictures:
        with Image.open(path) as opened:
            tile = opened.convert("RGB")
        tile.thumbnail((side, round(side * tall)), Image.Resampling.LANCZOS)
        tiles.append(tile)
    width = max(tile.width for tile in tiles)
    height = max(tile.height for tile in tiles)
    line = round(letters * LINE)
    below = line * max(len(words) for _, words in pictures)
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + below + GAP) + GAP), BACK)
    pen = ImageDraw.Draw(sheet)
    for n, (tile, (_, words)) in enumerate(zip(tiles, pictures, strict=True)):
        x, y = GAP + n % columns * (width + GAP), GAP + n // columns * (height + below + GAP)
        sheet.paste(tile, (x + (width - tile.width) // 2, y))
        for number, text in enumerate(words):
            pen.text((x + 2, y + height + number * line), _fitting(text, font, width), INK, font)
    return sheet


def small(pictures: Sequence[Titled], max_bytes: int) -> bytes:
    """The sheet as a JPEG of at most `max_bytes`, smaller and coarser until it fits."""
    for side, quality in ((240, 75), (200, 65), (160, 60), (120, 50), (96, 40), (64, 30)):
        out = io.BytesIO()
        draw(pictures, side).save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= max_bytes:
            break
    return out.getvalue()


def titled(made: Thumbnails, files: dict[str, Path]) -> list[Titled]:
    """The poster and the candidates, best first, with rank, score and time.

    Args:
        files: by the pictures' names.
    """
    chosen = [made.poster, *sorted(made.candidates, key=lambda one: one.rank or 0)]
    return [
        (
            files[one.name],
            [f"{f'#{one.rank}' if one.rank else one.kind}  {one.score:.2f}  {one.time:.1f} s"],
        )
        for one in chosen
    ]


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    while text and font.getlength(text) > width - 4:
        text = text[:-1]
    return text
