"""How hard the parts of a video are to encode, as far as an encoder tells: the bytes it has spent on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from video_pipeline.errors import CommandFailed
from video_pipeline.media import listing
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Scene
from video_pipeline.media.tools import Tools


def activity(tools: Tools, path: Path, plan: EncodingPlan, unit: int) -> npt.NDArray[np.float64]:
    """Mean bytes of the source's packets in each run of `unit` frames of the grid; all 0 where the file does not tell.

    Key frames say where the source's encoder put them, not how hard a part is, and do not count unless all are.

    They tell more of a GOP than the complexity of its scenes, which is known after an encode only, would: over 73 GOPs
    of ten clips their ranks have a correlation of 0.80 with those of the 720p rung, the scenes' of 0.72, and samples
    chosen by scenes miss the bit rate of a minute by 10 %, those by packets by 9 % (`make bench-scenes
    BENCH_ARGS=--complexity`).
    """
    units = -(-plan.frames // unit)
    packets = _packets(tools, path, plan.stream)
    if packets is None:
        return np.zeros(units)
    times, sizes, keys = packets
    counted = ~keys if not keys.all() else keys
    frames = (times - times.min()) * float(plan.stretch * plan.rate) + plan.lead - plan.skip
    place = np.floor(frames / unit + 1e-6).astype(np.int64)
    counted &= (place >= 0) & (place < units)
    spent = np.bincount(place[counted], sizes[counted], units)
    mean: npt.NDArray[np.float64] = spent / np.bincount(place[counted], minlength=units).clip(1)
    return mean


def weighed(tools: Tools, rung: Path, plan: EncodingPlan, scenes: Sequence[Scene]) -> tuple[Scene, ...]:
    """The scenes with their complexity: bytes per frame of a rung, against those of the whole; None if it has none.

    Of the smallest rung of `web` they follow those of its 720p rung with a correlation of 0.94 (by rank 0.96) over 31
    scenes of ten clips (`make bench-scenes BENCH_ARGS=--complexity`); without key frames with 0.90 (0.93).
    """
    packets = _packets(tools, rung, 0)
    if packets is None or not packets[1].any():
        return tuple(scenes)
    times, sizes, _ = packets
    frames = np.round((times - times.min()) * float(plan.rate)).astype(np.int64)
    spent = np.concatenate([[0.0], np.cumsum(np.bincount(frames, sizes, plan.frames))])
    mean = spent[plan.frames] / plan.frames

    def complexity(scene: Scene) -> float:
        return round(float((spent[scene.end] - spent[scene.start]) / (scene.end - scene.start) / mean), 4)

    return tuple(scene.model_copy(update={"complexity": complexity(scene)}) for scene in scenes)


def _packets(
    tools: Tools, path: Path, stream: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]] | None:
    """Time in s, bytes and whether it is a key frame, of each packet with a time; None if there is none."""
    try:
        entries = ["-show_entries", "packet=pts_time,size,flags", "-of", "csv=p=0"]
        listed, _ = listing.ask(tools, path, "-select_streams", str(stream), *entries)
    except (listing.TooMuch, CommandFailed):
        return None
    rows = [line.split(b",") for line in listed.split()]
    timed = [row for row in rows if len(row) >= 3 and row[0] != b"N/A" and row[1].isdigit()]
    if not timed:
        return None
    times, sizes = (np.array([float(row[n]) for row in timed]) for n in (0, 1))
    return times, sizes, np.array([b"K" in row[2] for row in timed])
