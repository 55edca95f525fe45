"""Where a video is cut: into chunks of whole segments, each encoded by itself and kept when it is finished."""

from __future__ import annotations

from fractions import Fraction

from video_pipeline.media.model import EncodingPlan

SECONDS = 16
"""About what one chunk lasts. It is what a killed encoder has to do again; every chunk costs the start of an encoder
and what a lookahead cannot see behind its end."""


def chunks(plan: EncodingPlan) -> tuple[EncodingPlan, ...]:
    """The plan of each chunk, in order: the same frames as the whole plan's, at the same times of the source.

    They depend on the plan alone, never on the host: the cuts shape the bits. The last one lasts from half as long as
    the others to half as long again.
    """
    segment = plan.segment / plan.rate
    length = plan.segment * max(1, round(SECONDS / segment))
    count = max(1, round(Fraction(plan.frames, length)))
    starts = [number * length for number in range(count)]
    ends = [*starts[1:], plan.frames]
    return tuple(_span(plan, start, end - start) for start, end in zip(starts, ends, strict=True))


def _span(plan: EncodingPlan, first: int, frames: int) -> EncodingPlan:
    moved = {"start": plan.start + first / plan.rate, "skip": plan.skip + first, "frames": frames}
    return plan.model_copy(update=moved)
