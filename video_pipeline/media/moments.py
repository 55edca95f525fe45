"""Moments of a request as frames of the output: what a trim keeps, and which picture is seen at a time."""

from __future__ import annotations

import math
from fractions import Fraction

from video_pipeline.errors import RequestError
from video_pipeline.media.options import Moment, Trim

SLACK = Fraction(1, 2000)
"""Seconds: moments are written in milliseconds, and few frames begin on one."""
BEYOND = 1
"""Seconds by which a trim may end after the source: headers round, and sound is often longer than the pictures."""


def kept(trim: Trim, rate: Fraction, frames: int) -> tuple[int, int]:
    """The first frame that is published, and how many are: those that begin at the trim's start or later, and before
    its end.

    Frame k begins at k/rate; half a millisecond does not count.

    Args:
        frames: of the whole source at that rate.

    Raises:
        RequestError: there is no such frame, or the trim ends more than a second after the source.
    """
    duration = frames / rate
    long = f"the source is {float(duration):.3f} s long"
    if exact(trim.start) >= duration:
        raise RequestError(f"trim.start: {trim.start:g} s is not before the end; {long}")
    if trim.end is not None and exact(trim.end) > duration + BEYOND:
        raise RequestError(f"trim.end: {trim.end:g} s is after the end; {long}")
    start = _first(trim.start, rate)
    end = frames if trim.end is None else min(frames, _first(trim.end, rate))
    if start >= end:
        raise RequestError(f"trim: no frame begins there; one is shown for {float(1000 / rate):.3f} ms, and {long}")
    return start, end - start


def shown(field: str, moment: Moment, rate: Fraction, frames: int) -> int:
    """The frame that is seen at that moment of what is published.

    Args:
        field: of the job, for the message.
        frames: that are published.

    Raises:
        RequestError: the video has ended by then.
    """
    duration = frames / rate
    share = Fraction(moment.removesuffix("%")) / 100 if isinstance(moment, str) else None
    time = exact(float(moment)) if share is None else share * duration
    if time > duration + SLACK:
        raise RequestError(f"{field}: {moment:g} s is after the end; what is published is {float(duration):.3f} s long")
    return min(frames - 1, math.floor((time + SLACK) * rate))


def exact(seconds: float) -> Fraction:
    """The decimal number that was written."""
    return Fraction(repr(seconds))


def _first(seconds: float, rate: Fraction) -> int:
    return max(0, math.ceil((exact(seconds) - SLACK) * rate))
