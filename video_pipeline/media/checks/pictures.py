"""Checks of the pictures: the sprite sheets hold every tile, and no file is empty."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from video_pipeline.media.checks.tracks import TICK
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.image_products import Sprites, Thumbnails
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult, Streams
from video_pipeline.media.sprites import sheet_name, tile_count


def sprite_tiles(plan: EncodingPlan, sprites: Sprites, pictures: Mapping[str, Path]) -> CheckResult:
    """As many tiles as planned, each inside its sheet and shown once, without a gap in time up to the end."""
    planned = tile_count(plan)
    cues = re.findall(r"(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)", sprites.vtt)
    wrong: list[Problem] = []
    if not sprites.tiles == len(cues) == planned:
        wrong.append(("sprites.vtt", f"{sprites.tiles} tiles and {len(cues)} cues, {planned} planned"))
    sizes: dict[str, tuple[int, int]] = {}
    for n in range(len(sprites.sheets)):
        size = _size(sheet_name(n), pictures, wrong)
        if size:
            sizes[sheet_name(n)] = size
            if size != (due := _sheet_size(sprites, n)):
                wrong.append((sheet_name(n), f"{size[0]}x{size[1]} pixels, {due[0]}x{due[1]} hold its tiles"))
    end, taken = "00:00:00.000", set()
    for start, stop, sheet, *place in cues:
        x, y, width, height = map(int, place)
        if sheet not in sizes:
            wrong.append(("sprites.vtt", f"the cue at {start} names {sheet}, which is not there"))
        elif x + width > sizes[sheet][0] or y + height > sizes[sheet][1]:
            wrong.append(("sprites.vtt", f"the cue at {start} lies outside of {sheet} ({x},{y},{width},{height})"))
        if (sheet, x, y) in taken:
            wrong.append(("sprites.vtt", f"the cue at {start} shows the tile of another ({sheet} {x},{y})"))
        taken.add((sheet, x, y))
        if start != end:
            wrong.append(("sprites.vtt", f"a cue starts at {start}, the one before ends at {end}"))
        end = stop
    if abs(_seconds(end) - plan.duration) > TICK:
        wrong.append(("sprites.vtt", f"the last cue ends at {end}, planned {float(plan.duration):.3f} s"))
    return verdict("sprite_tiles", wrong, f"{planned} tiles on {len(sprites.sheets)} sheets")


def not_empty(
    streams: Streams, thumbnails: Thumbnails, sprites: Sprites, media: Mapping[str, Path], pictures: Mapping[str, Path]
) -> CheckResult:
    """Every file has content, every picture can be opened."""
    wrong: list[Problem] = []
    files = {**media, **pictures}
    wrong += ((name, "is missing or empty") for name, path in files.items() if not _weighs(path))
    wrong += ((path, "is empty") for path, text in streams.texts.items() if not text.strip())
    stated = {form.name: (form.width, form.height) for form in thumbnails.forms}
    for name, (width, height) in stated.items():
        size = _size(name, pictures, wrong)
        if size and size != (width, height):
            wrong.append((name, f"{size[0]}x{size[1]} pixels, {width}x{height} are listed"))
    count = len(files) + len(streams.texts)
    return verdict("not_empty", wrong, f"{count} files have content, {len(stated) + len(sprites.sheets)} are pictures")


def _sheet_size(sprites: Sprites, number: int) -> tuple[int, int]:
    per_sheet = sprites.columns * sprites.rows
    tiles = min(per_sheet, sprites.tiles - number * per_sheet)
    rows = -(-tiles // sprites.columns)
    return min(sprites.tiles, sprites.columns) * sprites.tile_width, rows * sprites.tile_height


def _seconds(clock: str) -> Fraction:
    """Of a WebVTT time with hours; 0 for anything else."""
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d\.\d{3})", clock)
    return int(found[1]) * 3600 + int(found[2]) * 60 + Fraction(found[3]) if found else Fraction(0)


def _weighs(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _size(name: str, pictures: Mapping[str, Path], wrong: list[Problem]) -> tuple[int, int] | None:
    try:
        with Image.open(pictures[name]) as picture:
            picture.load()
            width, height = picture.size
            return width, height
    except (KeyError, OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        # Pillow raises each of these for a file that is no picture, or a broken one.
        wrong.append((name, f"is no picture: {error}"))
    return None
