"""Sprite sheets: small pictures of the whole video, and the WebVTT that says which part shows which time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from PIL import Image

from video_pipeline.media import process
from video_pipeline.media.decoding import KEYS, KEYS_ALONE
from video_pipeline.media.files import blob_of
from video_pipeline.media.image_products import Sprites
from video_pipeline.media.model import Blob, EncodingPlan
from video_pipeline.media.pictures import save
from video_pipeline.media.tools import Tools

QUALITY = 80


def make(tools: Tools, path: Path, plan: EncodingPlan, out_dir: Path) -> Sprites:
    """Writes `<out_dir>/sheet-000.jpg` and so on, tiles row by row; the last sheet ends with its last used row.

    Tile k is the frame at k times the interval, so that a pointer at time t shows what plays from there. The interval
    is the planned one in whole frames.

    Args:
        path: a small rung of the plan.
    """
    images = plan.images
    step = max(1, round(images.interval * plan.rate))
    width, height = _tile_size(plan)
    tiles = list(_tiles(tools, path, plan, step, (width, height)))
    per_sheet = images.columns * images.rows
    sheets: list[Blob] = []
    for start in range(0, len(tiles), per_sheet):
        part = tiles[start : start + per_sheet]
        rows = math.ceil(len(part) / images.columns)
        sheet = Image.new("RGB", (min(len(tiles), images.columns) * width, rows * height))
        for n, tile in enumerate(part):
            sheet.paste(tile, (n % images.columns * width, n // images.columns * height))
        out = out_dir / sheet_name(len(sheets))
        save(sheet, out, QUALITY)
        sheets.append(blob_of(out))
    made = Sprites(
        sheets=tuple(sheets),
        tiles=len(tiles),
        columns=images.columns,
        rows=images.rows,
        tile_width=width,
        tile_height=height,
        interval=step / plan.rate,
        vtt="",
    )
    return made.model_copy(update={"vtt": _vtt(made, plan.duration)})


def sheet_name(number: int) -> str:
    return f"sheet-{number:03}.jpg"


def tile_count(plan: EncodingPlan) -> int:
    """How many tiles the plan asks for."""
    return math.ceil(plan.frames / max(1, round(plan.images.interval * plan.rate)))


def _tile_size(plan: EncodingPlan) -> tuple[int, int]:
    rung = plan.family(plan.plain)[-1]
    factor = Fraction(plan.images.tile_width, max(rung.width, rung.height))
    width, height = (max(2, 2 * round(side * factor / 2)) for side in (rung.width, rung.height))
    return width, height


def _tiles(tools: Tools, path: Path, plan: EncodingPlan, step: int, size: tuple[int, int]) -> Iterator[Image.Image]:
    # On the grid every GOP starts with a key frame, so whole GOPs need no other frame decoded.
    whole_gops = step % plan.gop == 0
    every = step // plan.gop if whole_gops else step
    argv: list[str | Path] = [tools.ffmpeg, "-v", "error", "-nostdin"]
    argv += KEYS_ALONE if whole_gops else ()
    chosen = f"{KEYS if whole_gops else 'null'},select=not(mod(n\\,{every}))"
    argv += ["-i", path, "-vf", f"{chosen},scale={size[0]}:{size[1]}:flags=area,format=rgb24"]
    argv += ["-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    raw = process.run(argv, nice=tools.nice).stdout
    length = size[0] * size[1] * 3
    for start in range(0, len(raw), length):
        yield Image.frombytes("RGB", size, raw[start : start + length])


def _vtt(sprites: Sprites, duration: Fraction) -> str:
    """https://www.w3.org/TR/webvtt1/ cues with https://www.w3.org/TR/media-frags/ spatial fragments."""
    per_sheet = sprites.columns * sprites.rows
    cues = ["WEBVTT"]
    for n in range(sprites.tiles):
        start, end = n * sprites.interval, min((n + 1) * sprites.interval, duration)
        place = n % per_sheet
        x, y = place % sprites.columns * sprites.tile_width, place // sprites.columns * sprites.tile_height
        address = f"{sheet_name(n // per_sheet)}#xywh={x},{y},{sprites.tile_width},{sprites.tile_height}"
        cues.append(f"{_clock(start)} --> {_clock(end)}\n{address}")
    return "\n\n".join(cues) + "\n"


def _clock(time: Fraction) -> str:
    milliseconds = round(time * 1000)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
