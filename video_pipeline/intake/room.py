"""How many more videos may be taken from the queue."""

from __future__ import annotations

import shutil

from video_pipeline.execution.slots import slots
from video_pipeline.settings import Settings


def room(settings: Settings, live: int) -> tuple[int, str]:
    """Free slots beside `live` runs, and why there is none, if so.

    Raises:
        ServiceDown: Redis does not answer.
    """
    place = next(path for path in (settings.scratch, *settings.scratch.parents) if path.exists())
    free = shutil.disk_usage(place).free / 1e9
    if free < settings.min_free_gb:
        wanted = f"{settings.min_free_gb:g} GB are wanted (VIDEO_PIPELINE_MIN_FREE_GB)"
        return 0, f"no job is taken: {place} has {free:.1f} GB free, {wanted}"
    there = slots(settings)
    if there == 0:
        return 0, "no job is taken: there is no worker with this code; start one, or restart those there are"
    return max(0, there - live), "" if there > live else "every slot is busy"
