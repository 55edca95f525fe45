"""How hard the parts of a source are to encode, as far as its own encoder tells: the bytes it has spent on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from video_pipeline.errors import CommandFailed
from video_pipeline.media import listing
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.tools import Tools


def activity(tools: Tools, path: Path, plan: EncodingPlan, unit: int) -> npt.NDArray[np.float64]:
    """Mean bytes of the source's packets in each run of `unit` frames of the grid; all 0 where the file does not tell.

    Key frames say where the source's encoder put them, not how hard a part is, and do not count unless all are.
    """
    units = -(-plan.frames // unit)
    try:
        entries = ["-show_entries", "packet=pts_time,size,flags", "-of", "csv=p=0"]
        listed, _ = listing.ask(tools, path, "-select_streams", str(plan.stream), *entries)
    except (listing.TooMuch, CommandFailed):
        return np.zeros(units)
    rows = [line.split(b",") for line in listed.split()]
    timed = [row for row in rows if len(row) >= 3 and row[0] != b"N/A" and row[1].isdigit()]
    if not timed:
        return np.zeros(units)
    times = np.array([float(row[0]) for row in timed])
    sizes = np.array([float(row[1]) for row in timed])
    counted = np.array([b"K" not in row[2] for row in timed])
    if not counted.any():
        counted[:] = True
    frames = (times - times.min()) * float(plan.stretch * plan.rate) + plan.lead - plan.skip
    place = np.floor(frames / unit + 1e-6).astype(np.int64)
    counted &= (place >= 0) & (place < units)
    spent = np.bincount(place[counted], sizes[counted], units)
    mean: npt.NDArray[np.float64] = spent / np.bincount(place[counted], minlength=units).clip(1)
    return mean
