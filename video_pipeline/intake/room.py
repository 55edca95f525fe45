"""How many more videos may be taken from the queue."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from video_pipeline.execution.slots import slots
from video_pipeline.settings import Settings


@dataclass(frozen=True)
class Room:
    free: int
    """Slots for any job."""
    bulk: int
    """How many of them bulk work may take."""
    why: str = ""
    """Why there is none, if so."""


def room(settings: Settings, live: int, bulk: int) -> Room:
    """What is left beside `live` runs, of which `bulk` are bulk work.

    Raises:
        ServiceDown: Redis does not answer.
    """
    place = next(path for path in (settings.scratch, *settings.scratch.parents) if path.exists())
    free = shutil.disk_usage(place).free / 1e9
    if free < settings.min_free_gb:
        wanted = f"{settings.min_free_gb:g} GB are wanted (VIDEO_PIPELINE_MIN_FREE_GB)"
        return Room(0, 0, f"no job is taken: {place} has {free:.1f} GB free, {wanted}")
    there = slots(settings)
    if there == 0:
        return Room(0, 0, "no job is taken: there is no worker with this code; start one, or restart those there are")
    most_bulk = settings.bulk_slots or max(1, there - 1)
    left = max(0, there - live)
    return Room(left, min(left, max(0, most_bulk - bulk)), "" if left else "every slot is busy")
