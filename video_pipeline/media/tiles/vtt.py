"""Tiles as WebVTT (https://www.w3.org/TR/webvtt1/): a cue for each, whose text is the address of a part of a sheet
(https://www.w3.org/TR/media-frags/, #xywh)."""

from __future__ import annotations

import itertools
from fractions import Fraction

from video_pipeline.media.image_products import Sprites, sheet_name
from video_pipeline.media.model import EncodingPlan


def text(sprites: Sprites, plan: EncodingPlan) -> str:
    """Each tile until the next one is due, the last until the end."""
    per_sheet = sprites.columns * sprites.rows
    times = [*(frame / plan.rate for frame in sprites.frames), plan.duration]
    cues = ["WEBVTT"]
    for n, (start, end) in enumerate(itertools.pairwise(times)):
        place = n % per_sheet
        x, y = place % sprites.columns * sprites.tile_width, place // sprites.columns * sprites.tile_height
        address = f"{sheet_name(n // per_sheet)}#xywh={x},{y},{sprites.tile_width},{sprites.tile_height}"
        cues.append(f"{_clock(start)} --> {_clock(end)}\n{address}")
    return "\n\n".join(cues) + "\n"


def _clock(time: Fraction) -> str:
    milliseconds = round(time * 1000)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
