"""The check that the sprite sheets hold every tile, and that all three forms say the same of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from video_pipeline.media.checks.pictures import picture_size
from video_pipeline.media.checks.tile_forms import Tile, disagreements, forms
from video_pipeline.media.checks.tracks import TICK
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.image_products import Sprites, sheet_name
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult, Streams
from video_pipeline.media.tiles import planning

Sizes = Mapping[str, tuple[int, int]]


def sprite_tiles(plan: EncodingPlan, streams: Streams, sprites: Sprites, pictures: Mapping[str, Path]) -> CheckResult:
    """As many tiles as planned, each inside its sheet and shown once, at its planned time: in WebVTT, in HLS and in
    DASH, which agree. No more sheets and bytes than allowed."""
    planned = planning.count(plan)
    wrong: list[Problem] = []
    sizes: dict[str, tuple[int, int]] = {}
    for n in range(len(sprites.sheets)):
        size = picture_size(sheet_name(n), pictures, wrong)
        if size:
            sizes[sheet_name(n)] = size
            whole = sprites.columns * sprites.tile_width, sprites.rows * sprites.tile_height
            if size != whole:
                wrong.append((sheet_name(n), f"{size[0]}x{size[1]} pixels, {whole[0]}x{whole[1]} hold its tiles"))
    read = list(forms(sprites.vtt, streams.texts))
    for path, found in read:
        if not sprites.tiles == len(sprites.frames) == len(found) == planned:
            wrong.append((path, f"{sprites.tiles} tiles made, {len(found)} named, {planned} planned"))
        wrong += ((path, said) for said in _form_problems(plan, found, sizes))
    (first, due), *others = read
    for path, found in others:
        differing = disagreements(found, due)
        wrong += ((path, f"{_said(n, one)}, in {first} {_said(n, two)}") for n, one, two in differing)
    weight = sum(sheet.size for sheet in sprites.sheets)
    if len(sprites.sheets) > plan.images.max_sheets or weight > plan.images.max_sheet_bytes:
        allowed = f"{plan.images.max_sheets} of {plan.images.max_sheet_bytes} are allowed"
        wrong.append(("sprites", f"{len(sprites.sheets)} sheets of {weight} bytes, {allowed}"))
    fine = f"{planned} tiles on {len(sprites.sheets)} sheets of {weight} bytes, said alike in {len(read)} forms"
    return verdict("sprite_tiles", wrong, fine)


def _form_problems(plan: EncodingPlan, tiles: list[Tile], sizes: Sizes) -> Iterator[str]:
    step, taken = planning.step(plan), set()
    for n, tile in enumerate(tiles):
        at, (x, y, width, height) = f"the tile at {float(tile.start):.3f} s", tile.box
        if tile.sheet_name not in sizes or tile.sheet != f"sprites/{tile.sheet_name}":
            yield f"{at} is on {tile.sheet}, which is not there"
        elif x + width > sizes[tile.sheet_name][0] or y + height > sizes[tile.sheet_name][1]:
            yield f"{at} lies outside of {tile.sheet_name} ({x},{y},{width},{height})"
        if (tile.sheet, x, y) in taken:
            yield f"{at} is that of another time ({tile.sheet_name} {x},{y})"
        taken.add((tile.sheet, x, y))
        start, end = n * step / plan.rate, min((n + 1) * step, plan.frames) / plan.rate
        if abs(tile.start - start) > TICK or abs(tile.end - end) > TICK:
            yield f"{at} ends at {float(tile.end):.3f} s, planned {float(start):.3f} to {float(end):.3f} s"


def _said(n: int, tile: Tile | None) -> str:
    if tile is None:
        return f"there is no tile {n}"
    place = ",".join(map(str, tile.box))
    return f"tile {n} is {tile.sheet_name} {place} from {float(tile.start):.3f} to {float(tile.end):.3f} s"
