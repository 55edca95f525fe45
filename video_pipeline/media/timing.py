"""The clock of a source's pictures, from the times of its packets or of the decoded pictures themselves."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from video_pipeline.media.technical import FrameTiming

TICKS = Fraction(3, 2)
SHARE = Fraction(2, 100)
"""Distances that differ by less than both are the same: clocks are written in ticks."""
FINE = 5
"""Ticks; a clock whose pictures are fewer apart counts pictures, and a tick more is another distance."""
ALIKE = Fraction(10, 100)
"""Distances that differ by less belong to one rate, of which they are roundings, to milliseconds for example."""


def last_step(shown: Sequence[int], tick: Fraction, end: Fraction | None, declared_step: Fraction) -> Fraction:
    """How long the last picture is shown if nothing says so, s: until the file's end if that is near, else as long as
    most others.

    Args:
        shown: ticks, in order.
        end: of the file as its header says, on the same clock.
        declared_step: for a lone picture.
    """
    steps = Counter(later - earlier for earlier, later in itertools.pairwise(shown))
    common = steps.most_common(1)[0][0] * tick if steps else declared_step
    rest = end - shown[-1] * tick if end else common
    if common / 2 <= rest < common:
        return rest
    # Where the file ends with a picture that comes long after the one before.
    return common if rest > 0 else min(common, declared_step)


def of_times(shown: Sequence[int], tick: Fraction, start: Fraction, last: Fraction, *, decoded: bool) -> FrameTiming:
    """The timing of pictures that are shown at `shown`.

    Args:
        shown: ticks, in order, each once, at least one.
        tick: seconds.
        start: the container's own, s; ffmpeg counts from there when it decodes.
        last: how long the last picture is shown, s.
    """
    steps = Counter(later - earlier for earlier, later in itertools.pairwise(shown))
    usual = steps.most_common(1)[0][0] if steps else 0
    common = _mean(steps, usual) * tick if steps else last
    return FrameTiming(
        frames=len(shown),
        first=shown[0] * tick - start,
        end=shown[-1] * tick + last - start,
        common_step=common,
        short_step=_mean(steps, _short(steps)) * tick if steps else common,
        longest_step=max(steps) * tick if steps else common,
        last_step=last,
        variable=any(abs(step * tick - common) > _rounding(usual, SHARE) * tick for step in steps),
        decoded=decoded,
    )


def of_count(frames: int, rate: Fraction, *, decoded: bool) -> FrameTiming:
    """The timing of pictures without times: the declared rate is all there is."""
    step = 1 / rate
    return FrameTiming(
        frames=frames,
        first=Fraction(0),
        end=frames * step,
        common_step=step,
        short_step=step,
        longest_step=step,
        last_step=step,
        variable=False,
        decoded=decoded,
    )


def _short(steps: Counter[int]) -> int:
    """Nine of ten are at least this, and all but one of a few."""
    shorter = 0
    for step, count in sorted(steps.items()):
        shorter += count
        if shorter * 10 >= steps.total() and (shorter > 1 or steps.total() == 1):
            return step
    return max(steps)


def _mean(steps: Counter[int], usual: int) -> Fraction:
    """The mean of the distances that are like `usual`."""
    alike = {step: count for step, count in steps.items() if abs(step - usual) <= _rounding(usual, ALIKE)}
    return Fraction(sum(step * count for step, count in alike.items()), sum(alike.values()))


def _rounding(step: int, share: Fraction) -> Fraction:
    """How much another distance may differ from this one and still be the same, ticks."""
    return max(TICKS if step >= FINE else Fraction(0), share * step)
