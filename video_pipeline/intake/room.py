"""How many more videos may be taken from the queue."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass

from video_pipeline.errors import PipelineError
from video_pipeline.execution.slots import slots
from video_pipeline.settings import Settings
from video_pipeline.stores.budget import relieve
from video_pipeline.stores.objects import LocalStore

RELIEF_SECONDS = 30.0
"""Between two looks at all checkpoints while a disk is short."""


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
    short = _short(settings)
    if short and _relieved(settings):
        short = _short(settings)
    if short:
        return Room(0, 0, f"no job is taken: {short}")
    there = slots(settings)
    if there == 0:
        return Room(0, 0, "no job is taken: there is no worker with this code; start one, or restart those there are")
    most_bulk = settings.bulk_slots or max(1, there - 1)
    left = max(0, there - live)
    return Room(left, min(left, max(0, most_bulk - bulk)), "" if left else "every slot is busy")


def _short(settings: Settings) -> str:
    """Which disk is, in words; "" if none."""
    for wished in (settings.scratch, settings.store):
        place = next(path for path in (wished, *wished.parents) if path.exists())
        free = shutil.disk_usage(place).free / 1e9
        if free < settings.min_free_gb:
            wanted = f"{settings.min_free_gb:g} GB are wanted (VIDEO_PIPELINE_MIN_FREE_GB)"
            return f"{place} has {free:.1f} GB free, {wanted}"
    return ""


_next_relief = 0.0


def _relieved(settings: Settings) -> bool:
    """Drops checkpoints that no live run uses until the disk has room; whether some went. Looks once in a while."""
    global _next_relief
    if not settings.store.exists() or time.monotonic() < _next_relief:
        return False
    _next_relief = time.monotonic() + RELIEF_SECONDS
    try:
        outcome = relieve(LocalStore(settings.store), round(settings.min_free_gb * 1e9))
    except (PipelineError, OSError):
        return False
    return outcome is not None and outcome.dropped > 0
