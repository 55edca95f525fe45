"""How many encoders of one video run side by side: as many as the host's cores and the worker's memory hold.

It shapes no bit: what is encoded, and with how many threads, is the plan's matter.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from math import ceil
from pathlib import Path

from video_pipeline.media.technical import VideoStream
from video_pipeline.media.video_plan import RungPlan

PER_RUNG_PIXEL = 300
"""Bytes an encoder takes for each pixel of its rungs. At 1920x1080 were measured 240 (x264 medium), 276 (x264 slow),
186 (x265), 158 (libvpx-vp9) and 235 to 311 (SVT-AV1 in 8 and 10 bits)."""
PER_SOURCE_PIXEL = 60
"""Of a decoder with its threads, and of filters."""
PROGRAM = 64 * 2**20
CGROUP = Path("/sys/fs/cgroup")


def memory_of(rungs: Sequence[RungPlan], source: VideoStream) -> int:
    """About what one encoder of all these rungs takes, bytes."""
    pixels = sum(rung.width * rung.height for rung in rungs)
    return PROGRAM + PER_RUNG_PIXEL * pixels + PER_SOURCE_PIXEL * source.width * source.height


def at_once(rungs: Sequence[RungPlan], source: VideoStream, cores: float, memory: float) -> int:
    """At least one.

    Args:
        cores: that this video may use.
        memory: likewise, bytes.
    """
    # An encoder of a few rungs keeps about two cores busy; one more fills the gaps where another begins and ends.
    return max(1, min(round(cores / 2) + 1, int(memory / memory_of(rungs, source))))


def readers() -> int:
    """How many programs that take a few pictures each run side by side. A decoder of 4k takes 110 MB, and there are
    several in each."""
    return min(4, ceil(host_cores()))


def host_cores() -> float:
    """Of this process: by its affinity and its control group."""
    cores = float(len(os.sched_getaffinity(0)))
    with suppress(OSError, ValueError):
        quota, period = (CGROUP / "cpu.max").read_text().split()
        cores = min(cores, int(quota) / int(period))
    return cores


def host_memory() -> int:
    """Bytes, likewise."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        memory = min(memory, int((CGROUP / "memory.max").read_text()))
    return memory
