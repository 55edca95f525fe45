"""Checks of the packaged tracks against the plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult

TOLERANCE = Fraction(50, 1000)
"""Seconds that a track may begin or end away from the plan. AAC frames last 21 ms."""
TICK = Fraction(1, 1000)


def decodes(readings: Sequence[Reading]) -> CheckResult:
    """Every file decodes to its end without an error."""
    wrong = ((r.name, r.errors) for r in readings if r.errors)
    return verdict("decodes", wrong, f"{len(readings)} files decoded to the end without an error")


def frame_count(plan: EncodingPlan, readings: Sequence[Reading]) -> CheckResult:
    """Every rendition has the planned number of frames, as packets and after decoding."""
    wrong = (
        (r.name, f"{r.decoded_frames} frames decoded and {len(r.packets)} stored, {plan.frames} planned")
        for r in _videos(readings)
        if not r.decoded_frames == len(r.packets) == plan.frames
    )
    return verdict("frame_count", wrong, f"{plan.frames} frames in each of {len(plan.rungs)} renditions")


def duration(plan: EncodingPlan, readings: Sequence[Reading]) -> CheckResult:
    """Every rendition lasts as long as the plan, to the millisecond."""
    wrong = (
        (r.name, f"{float(r.end - r.start):.3f} s, {float(plan.duration):.3f} s planned")
        for r in _videos(readings)
        if abs(r.end - r.start - plan.duration) > TICK
    )
    return verdict("duration", wrong, f"{float(plan.duration):.3f} s in each of {len(plan.rungs)} renditions")


def key_frames(plan: EncodingPlan, readings: Sequence[Reading]) -> CheckResult:
    """Key frames lie on the grid, and so at the same times in every rendition; segments start on it in every track."""
    wrong = [problem for r in _videos(readings) for problem in _off_grid(plan, r)]
    wrong += [problem for r in readings for problem in _segments_off_grid(plan, r)]
    count, seconds = len(range(0, plan.frames, plan.gop)), float(plan.gop / plan.rate)
    starts, tracks = sum(len(r.index) for r in readings), sum(bool(r.index) for r in readings)
    fine = f"{count} key frames, one every {seconds:.3f} s, equal in all renditions; "
    fine += f"{starts} segment starts of {tracks} tracks compared, {starts} on the grid"
    return verdict("key_frames", wrong, fine)


def _off_grid(plan: EncodingPlan, r: Reading) -> Iterable[Problem]:
    found, grid = r.times[r.keys], np.arange(0, plan.frames, plan.gop) / float(plan.rate)
    if len(found) == len(grid) and np.all(np.abs(found - grid) <= float(TICK)):
        return
    # In whole frames, so that the same frame has the same number in both.
    odd = np.setxor1d(np.rint(found * float(plan.rate)), np.rint(grid * float(plan.rate))) / float(plan.rate)
    at = ", ".join(f"{time:.3f} s" for time in (odd if len(odd) else found)[:3])
    yield r.name, f"{len(found)} key frames, {len(grid)} planned; not on the grid at {at}"


def _segments_off_grid(plan: EncodingPlan, r: Reading) -> Iterable[Problem]:
    length = plan.segment / plan.rate
    count = math.ceil(plan.end(r.name) / length)
    # Sound is cut where a frame of it ends.
    tolerance = TICK if r.is_video else TOLERANCE
    late = [n for n, entry in enumerate(r.index) if abs(entry.start - n * length) > tolerance]
    if late:
        where = r.index[late[0]].start
        yield r.name, f"segment {late[0]} starts at {float(where):.3f} s, planned {float(late[0] * length):.3f} s"
    # A few samples more than the pictures may make one segment more.
    elif not count <= len(r.index) <= count + (not r.is_video):
        yield r.name, f"{len(r.index)} segments in its index, {count} planned"


def track_ends(plan: EncodingPlan, readings: Sequence[Reading]) -> CheckResult:
    """Sound and pictures begin at 0 and end when the plan says, within 50 ms."""

    def off() -> Iterable[Problem]:
        for r in readings:
            if abs(r.start) > TOLERANCE or abs(r.end - plan.end(r.name)) > TOLERANCE:
                span = f"from {float(r.start):.3f} to {float(r.end):.3f} s"
                yield r.name, f"{span}, planned from 0 to {float(plan.end(r.name)):.3f} s"
        planned = {rung.name for rung in plan.rungs} | {sound.name for sound in plan.audio}
        for name in sorted(planned ^ {r.name for r in readings}):
            yield name, "planned but not there" if name in planned else "there but not planned"

    worst = max((abs(r.end - plan.end(r.name)) for r in readings), default=Fraction(0))
    return verdict("track_ends", off(), f"all tracks end within {float(worst) * 1000:.0f} ms of the plan")


def _videos(readings: Sequence[Reading]) -> list[Reading]:
    return [reading for reading in readings if reading.is_video]
