"""The check of the MP4 for download: it is the planned rung with its sound, whole, and plays while it loads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from video_pipeline.media.checks.reading import Reading, read
from video_pipeline.media.checks.tracks import TICK, TOLERANCE
from video_pipeline.media.checks.verdict import verdict
from video_pipeline.media.download import FILE, sound_name
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult
from video_pipeline.media.tools import Tools

NAME = "download"


def download(tools: Tools, plan: EncodingPlan, readings: Sequence[Reading], path: Path | None) -> CheckResult:
    """It decodes to its end, has the frames of its rung and of its sound at the same times as the packaged tracks
    (`readings`), lasts as long as the plan, and its index lies before its data."""
    if plan.download is None:
        return verdict(NAME, [(FILE, "there but not planned")] if path else [], "0 planned")
    if path is None or not path.is_file():
        return verdict(NAME, [(FILE, "planned but not there")], "")
    sound = sound_name(plan)
    streams = {plan.download: "v:0", **({sound: "a:0"} if sound else {})}
    found = read(tools, dict.fromkeys(streams, path), {sound} if sound else (), streams)
    wrong = [*_layout(found[0]), *(problem for r in found for problem in _problems(plan, r, readings))]
    what = f"{plan.frames} frames of {plan.download}, {'with' if sound else 'without'} sound"
    fine = f"{what}, {float(plan.duration):.3f} s, the index before the data"
    return verdict(NAME, ((FILE, problem) for problem in wrong), fine)


def _layout(r: Reading) -> Iterable[str]:
    kinds = [box.kind for box in r.boxes]
    if "mdat" not in kinds or "moov" not in kinds[: kinds.index("mdat")]:
        yield f"no index (moov) before the data (mdat), but {', '.join(kinds) or 'nothing'}"


def _problems(plan: EncodingPlan, r: Reading, readings: Sequence[Reading]) -> Iterator[str]:
    if r.errors:
        yield f"{r.name}: {r.errors}"
    if r.is_video and r.decoded_frames != plan.frames:
        yield f"{r.decoded_frames} frames decoded, {plan.frames} planned"
    if abs(r.start) > TOLERANCE or abs(r.end - plan.end(r.name)) > TOLERANCE:
        due = f"planned from 0 to {float(plan.end(r.name)):.3f} s"
        yield f"{r.name}: from {float(r.start):.3f} to {float(r.end):.3f} s, {due}"
    packaged = next((reading for reading in readings if reading.name == r.name), None)
    if packaged is None:
        return
    (sizes, times), (due_sizes, due_times) = _shown(r), _shown(packaged)
    if len(sizes) != len(due_sizes):
        yield f"{r.name}: {len(sizes)} packets, {len(due_sizes)} in the rendition"
        return
    odd = (sizes != due_sizes) | (np.abs(times - due_times) > float(TICK))
    if odd.any():
        yield f"{r.name}: not the rendition's packet at {due_times[np.argmax(odd)]:.3f} s"


def _shown(r: Reading) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sizes and times of the packets from 0 on: not every muxer lists what only makes an AAC decoder ready."""
    shown = r.times >= 0
    return r.packets["size"][shown], r.times[shown]
