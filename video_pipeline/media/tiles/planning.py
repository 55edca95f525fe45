"""How many tiles a video has, how far apart, and how they lie on their sheets."""

from __future__ import annotations

import math
from fractions import Fraction

from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.video_plan import RungPlan
from video_pipeline.presets.images import Images

LOWEST_QUALITY = 20
"""Of the JPEG, below which sheets are not made smaller."""
BYTES_PER_PIXEL = 0.35
"""Pillow needs at most so many at that quality: 0.33 of single pixels that are black or white by chance, 0.17 of noise
in colour; of real tiles 0.04."""
BYTES_PER_SHEET = 1000
"""Tables and headers of a JPEG."""


def interval(images: Images, rate: Fraction, frames: int, gop: int, tile: tuple[int, int]) -> Fraction:
    """Seconds from tile to tile: the preset's in whole frames, longer where there would be too many sheets or bytes.

    A longer one is a whole number of GOPs, if it is one at all, so that key frames alone are decoded. What is on the
    sheets does not count: they fit with any content, which in general leaves them a good quality.

    Args:
        rate: frames per second.
        gop: frames.
        tile: its size, pixels.
    """
    step = max(1, round(images.interval * rate))
    least = math.ceil(frames / _most(images, tile))
    if step < least:
        step = least if least < gop else gop * math.ceil(least / gop)
    return step / rate


def _most(images: Images, tile: tuple[int, int]) -> int:
    """Tiles that there may be."""
    per_sheet = images.columns * images.rows
    each = tile[0] * tile[1] * BYTES_PER_PIXEL + BYTES_PER_SHEET / per_sheet
    fitting = int((1000 * images.max_sheet_kilobytes - BYTES_PER_SHEET) / each)
    return max(1, min(per_sheet * images.max_sheets, fitting))


def step(plan: EncodingPlan) -> int:
    """Frames from tile to tile."""
    return max(1, round(plan.images.interval * plan.rate))


def count(plan: EncodingPlan) -> int:
    """How many tiles the plan asks for: the last one may stand for less than an interval."""
    return math.ceil(plan.frames / step(plan))


def layout(images: ImagePlan, tiles: int) -> tuple[int, int]:
    """Columns and rows of every sheet: those of the plan, as far as there are tiles for them."""
    columns = min(images.columns, tiles)
    return columns, min(images.rows, math.ceil(tiles / columns))


def sheets(plan: EncodingPlan) -> int:
    """How many there are; all have one size, the last one is filled up with black."""
    columns, rows = layout(plan.images, count(plan))
    return math.ceil(count(plan) / (columns * rows))


def size(rung: RungPlan, longest: int) -> tuple[int, int]:
    """Of a tile, pixels: even, and as long and short as the picture is."""
    factor = Fraction(longest, max(rung.width, rung.height))
    width, height = (max(2, 2 * round(side * factor / 2)) for side in (rung.width, rung.height))
    return width, height
