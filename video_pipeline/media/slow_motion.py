"""Slow motion of phones: recordings in real time, and a tag that says how fast their pictures were taken."""

from __future__ import annotations

from fractions import Fraction

from video_pipeline.media.listing import fraction
from video_pipeline.media.technical import FrameTiming, TechnicalMetadata

TAG = "com.android.capture.fps"
"""Pictures per second (https://developer.android.com/reference/android/media/MediaMetadataRetriever,
METADATA_KEY_CAPTURE_FRAMERATE)."""
PLAYED = 30
"""Pictures per second at which phones show it."""
NEAR = Fraction(1, 10)
LEAST = 2
"""Times as fast as it is played."""


def slower(source: TechnicalMetadata) -> Fraction:
    """How many times as long the recording lasts if its tag is honoured; 1 if it has none, or is slow already."""
    taken, step = fraction(source.tags.get(TAG)), source.timing.common_step
    if not taken or taken < LEAST * PLAYED or not step or abs(step * taken - 1) > NEAR:
        return Fraction(1)
    return 1 / step / PLAYED


def stretched(timing: FrameTiming, times: Fraction) -> FrameTiming:
    """A clock that is so many times as slow."""
    steps = ("first", "end", "common_step", "short_step", "longest_step", "last_step")
    return timing.model_copy(update={name: getattr(timing, name) * times for name in steps})
