"""Sprite sheets: small pictures of the whole video, at the times that the decoder says."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from video_pipeline.errors import CheckFailed, RequestError
from video_pipeline.media import ffmpeg
from video_pipeline.media.decoding import KEYS, KEYS_ALONE, LINES, DecodeLog
from video_pipeline.media.files import blob_of
from video_pipeline.media.image_products import Sprites, sheet_name
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.pictures import save
from video_pipeline.media.tiles import planning, vtt
from video_pipeline.media.tools import Tools

QUALITIES = (80, 70, 60, 50, 40, 30, planning.LOWEST_QUALITY)
"""Of the JPEG: the first with which all sheets together are small enough."""
SLACK = Fraction(1, 10)
"""Frames; clocks are written in ticks."""


def make(tools: Tools, path: Path, plan: EncodingPlan, out_dir: Path) -> Sprites:
    """Writes `<out_dir>/sheet-000.jpg` and so on: tiles row by row, all sheets of one size.

    Tile k is the frame at k times the plan's interval, so that a pointer at time t shows what plays from there.

    Args:
        path: a small rung of the plan.

    Raises:
        CommandFailed: it cannot be decoded.
        CheckFailed: its frames are not at the plan's times.
        RequestError: the sheets are larger than the preset allows in every quality.
    """
    size = planning.size(plan.family(plan.plain)[-1], plan.images.tile_width)
    with TemporaryDirectory(dir=out_dir) as scratch:
        raw = Path(scratch, "tiles.rgb")
        frames = _decode(tools, path, plan, size, raw)
        shape = planning.layout(plan.images, len(frames))
        count = planning.sheets(plan)
        names = [out_dir / sheet_name(n) for n in range(count)]
        for quality in QUALITIES:
            for name, sheet in zip(names, _sheets(raw, size, shape), strict=True):
                save(sheet, name, quality)
            if (weight := sum(name.stat().st_size for name in names)) <= plan.images.max_sheet_bytes:
                break
        else:
            raise RequestError(
                f"images.max_sheet_kilobytes: {len(frames)} tiles of {size[0]}x{size[1]} have {weight} bytes in the "
                f"lowest quality; raise it from {plan.images.max_sheet_bytes // 1000}, or lower images.tile_width"
            )
    made = Sprites(
        sheets=tuple(blob_of(name) for name in names),
        tiles=len(frames),
        frames=frames,
        columns=shape[0],
        rows=shape[1],
        tile_width=size[0],
        tile_height=size[1],
        interval=planning.step(plan) / plan.rate,
        quality=quality,
        vtt="",
    )
    return made.model_copy(update={"vtt": vtt.text(made, plan)})


def _decode(tools: Tools, path: Path, plan: EncodingPlan, size: tuple[int, int], raw: Path) -> tuple[int, ...]:
    """Writes the tiles as RGB, one behind the other, and returns the frames that they are by the decoder's clock."""
    step, log = planning.step(plan), DecodeLog()
    # On the grid every GOP starts with a key frame, so whole GOPs need no other frame decoded.
    keys = step % plan.gop == 0
    chosen = f"{KEYS if keys else 'null'},select=not(mod(n\\,{step // plan.gop if keys else step}))"
    # (Nor need it be read, but with -discard ffmpeg 9 gives key frames times that are up to two frames off.)
    args = [*(KEYS_ALONE if keys else ()), "-i", ffmpeg.name(path)]
    args += ["-vf", f"{chosen},scale={size[0]}:{size[1]}:flags=area,format=rgb24", "-enc_time_base", "filter"]
    args += [word for name, value in LINES.items() for word in (f"-{name}", value)]
    args += ["-fps_mode", "passthrough", "-f", "rawvideo", str(raw)]
    ffmpeg.ffmpeg(tools, args, on_output=log.take_output)
    due = range(0, plan.frames, step)
    places = [time * log.tick * plan.rate for time in log.times]
    wrong = [n for n, (place, frame) in enumerate(zip(places, due, strict=False)) if abs(place - frame) > SLACK]
    if wrong or len(places) != len(due):
        n = wrong[0] if wrong else min(len(places), len(due))
        found = f"at frame {float(places[n]):.2f}" if n < len(places) else "missing"
        raise CheckFailed(
            f"sprites: {path.name} has {len(places)} frames for {len(due)} tiles; that of tile {n}, due at frame "
            f"{n * step}, is {found}"
        )
    return tuple(due)


def _sheets(raw: Path, size: tuple[int, int], shape: tuple[int, int]) -> Iterator[Image.Image]:
    """One after the other, so that a long video takes no more memory than a short one."""
    (width, height), (columns, rows) = size, shape
    length = width * height * 3
    with raw.open("rb") as file:
        while part := file.read(columns * rows * length):
            sheet = Image.new("RGB", (columns * width, rows * height))
            for n in range(len(part) // length):
                tile = Image.frombytes("RGB", size, part[n * length : (n + 1) * length])
                sheet.paste(tile, (n % columns * width, n // columns * height))
            yield sheet
