"""Checks of the packaged tracks against the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.model import CheckResult, EncodingPlan

TOLERANCE = Fraction(50, 1000)
"""Seconds that a track may begin or end away from the plan. AAC frames last 21 ms."""
TICK = Fraction(1, 1000)


def decodes(readings: Sequence[Reading]) -> CheckResult:
    """Every file decodes to its end without an error."""
    return _verdict(
        "decodes",
        ((r.name, f"{r.errors}") for r in readings if r.errors),
        f"{len(readings)} files decoded to the end without an error",
    )


def frame_count(plan: EncodingPlan, readings: Sequence[Reading]) -> CheckResult:
    """Every rendition has the planned number of frames, as packets and after decoding."""
    wrong = (
        (r.name, f"{r.decoded_frames} frames decoded and {len(r.packets)} stored, {plan.frames} planned")
        for r in _videos(readings)
        if not r.decoded_frames == len(r.packets) == plan.frames
    )
    return _verdict("frame_count", wrong, f"{plan.frames} frames in each of {len(plan.rungs)} renditions")


def duration(plan: EncodingPlan, readings: Sequence[Reading]) -> CheckResult:
    """Every rendition lasts as long as the plan, to the millisecond."""
    wrong = (
        (r.name, f"{float(r.end - r.start):.3f} s, {float(plan.duration):.3f} s planned")
        for r in _videos(readings)
        if abs(r.end - r.start - plan.duration) > TICK
    )
    return _verdict("duration", wrong, f"{float(plan.duration):.3f} s in each of {len(plan.rungs)} renditions")


def key_frames(plan: EncodingPlan, readings: Sequence[Reading]) -> CheckResult:
    """Key frames lie on the grid, and so at the same times in every rendition."""
    grid = list(range(0, plan.frames, plan.gop))

    def off() -> Iterable[tuple[str, str]]:
        for r in _videos(readings):
            found = [n for n, packet in enumerate(r.packets) if packet.key]
            late = [n for n in found if abs(r.packets[n].time - n / plan.rate) > TICK]
            if found != grid or late:
                odd = sorted({*found} ^ {*grid}) or late
                at = ", ".join(f"{float(n / plan.rate):.3f} s" for n in odd[:3])
                yield r.name, f"{len(found)} key frames, {len(grid)} planned; not on the grid at {at}"

    seconds = float(plan.gop / plan.rate)
    return _verdict("key_frames", off(), f"{len(grid)} key frames, one every {seconds:.3f} s, equal in all renditions")


def track_ends(plan: EncodingPlan, readings: Sequence[Reading]) -> CheckResult:
    """Sound and pictures begin at 0 and end with the plan, within 50 ms."""

    def off() -> Iterable[tuple[str, str]]:
        for r in readings:
            if abs(r.start) > TOLERANCE or abs(r.end - plan.duration) > TOLERANCE:
                span = f"from {float(r.start):.3f} to {float(r.end):.3f} s"
                yield r.name, f"{span}, planned from 0 to {float(plan.duration):.3f} s"
        planned = {rung.name for rung in plan.rungs} | ({"audio"} if plan.audio else set())
        for name in sorted(planned ^ {r.name for r in readings}):
            yield name, "planned but not there" if name in planned else "there but not planned"

    worst = max((abs(r.end - plan.duration) for r in readings), default=Fraction(0))
    return _verdict("track_ends", off(), f"all tracks end within {float(worst) * 1000:.0f} ms of the plan")


def _videos(readings: Sequence[Reading]) -> list[Reading]:
    return [reading for reading in readings if reading.is_video]


def _verdict(name: str, wrong: Iterable[tuple[str, str]], fine: str) -> CheckResult:
    return verdict(name, list(wrong), fine)


def verdict(name: str, wrong: Sequence[tuple[str, str]], fine: str) -> CheckResult:
    """A result from (subject, what was measured) pairs of everything that is wrong."""
    if not wrong:
        return CheckResult(name=name, passed=True, measured=fine)
    said = "; ".join(f"{subject}: {measured}" for subject, measured in wrong[:5])
    more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return CheckResult(name=name, passed=False, subject=wrong[0][0], measured=said + more)
