"""Where a video is cut: into chunks of whole segments, each encoded by itself and kept when it is finished."""

from __future__ import annotations

from fractions import Fraction

from video_pipeline.media.model import EncodingPlan

SECONDS = 16
"""About what a chunk of a long video lasts. It is what a killed encoder has to do again; every chunk costs the start of
an encoder and what a lookahead cannot see behind its end."""


def chunks(plan: EncodingPlan) -> tuple[EncodingPlan, ...]:
    """The plan of each chunk, in order: the same frames as the whole plan's, at the same times of the source.

    They depend on the plan alone, never on the host: the cuts shape the bits. Their number is even, so that of two
    encoders side by side none is left alone for long; only what has not two segments is one chunk.
    """
    segments = max(1, round(Fraction(plan.frames, plan.segment)))
    pairs = max(1, round(plan.frames / plan.rate / (2 * SECONDS)))
    count = min(segments, 2 * pairs) if plan.frames >= 2 * plan.segment else 1
    starts = [plan.segment * (number * segments // count) for number in range(count)]
    ends = [*starts[1:], plan.frames]
    return tuple(_span(plan, start, end - start) for start, end in zip(starts, ends, strict=True))


def _span(plan: EncodingPlan, first: int, frames: int) -> EncodingPlan:
    moved = {"start": plan.start + first / plan.rate, "skip": plan.skip + first, "frames": frames}
    return plan.model_copy(update=moved)
