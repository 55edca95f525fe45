"""A few seconds that stand for a whole video: which they are, and their frames as every rung is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg as graph
import numpy as np
import numpy.typing as npt

from video_pipeline.errors import CommandFailed
from video_pipeline.media import complexity, ffmpeg
from video_pipeline.media.graph import apply, clock, gridded
from video_pipeline.media.model import EncodingPlan, Family
from video_pipeline.media.plan import BARE
from video_pipeline.media.targets import Sample
from video_pipeline.media.tools import Tools


def choose(tools: Tools, path: Path, plan: EncodingPlan) -> tuple[Sample, ...]:
    """Samples that stand for the whole, in order of time: always the same for one file and grid.

    Of each stretch of time the part whose complexity makes up for what the ones before were too hard or too easy. Over
    windows of 60 s of 14 clips joined, 8 of them are off the VMAF of the whole by 0.70 (RMS), evenly spaced ones by
    0.88, the middle of each class of complexity by 1.05; half as many of twice the length by 1.27.
    """
    unit = length(plan)
    hard = complexity.activity(tools, path, plan, unit)
    if len(hard) > 1 and plan.frames - (len(hard) - 1) * unit < unit / 2:
        hard = hard[:-1]  # too little is left at the end to count as much as the others
    count = min(len(hard), max(1, round(seconds(float(plan.duration)) * plan.rate / unit)))
    firsts = [place * unit for place in balanced(hard, count)]
    return tuple(Sample(first=first, frames=min(unit, plan.frames - first)) for first in firsts)


def length(plan: EncodingPlan) -> int:
    """Frames of a sample: half a GOP. To begin a GOP twice as often changes its VMAF by 0.02."""
    return max(1, -(-plan.gop // 2))


def seconds(duration: float) -> float:
    """How much of a video is sampled, both in s: less than in proportion, for what counts is their number."""
    return float(9 * (duration / 60) ** (1 / 3))


def balanced(hard: npt.NDArray[np.float64], count: int) -> list[int]:
    """Places of `count` parts, one of each of as many stretches, that are together about as hard as all."""
    ranks = np.argsort(np.argsort(hard, kind="stable"), kind="stable") / max(1, len(hard) - 1)
    places, owed = [], 0.0
    for stretch in np.array_split(np.arange(len(hard)), count):
        wanted = ranks[stretch].mean() + owed
        place = int(stretch[np.argmin(np.abs(ranks[stretch] - wanted))])
        owed = wanted - ranks[place]
        places.append(place)
    return places


def whole(plan: EncodingPlan) -> tuple[Sample, ...]:
    return (Sample(first=0, frames=plan.frames),)


def part(plan: EncodingPlan, sample: Sample) -> EncodingPlan:
    """The plan of these frames alone."""
    start, skip = plan.start + sample.first / plan.rate, plan.skip + sample.first
    return plan.model_copy(update={"start": start, "skip": skip, "frames": sample.frames})


def frames_of(path: Path, plan: EncodingPlan, family: Family, samples: Sequence[Sample]) -> Any:
    """Their frames as that family's rungs are made from, one sample after the other. To be run with `words`."""
    if tuple(samples) == whole(plan):
        stream = gridded(path, plan)
    elif plan.seekable:
        parts = [gridded(path, part(plan, sample)) for sample in samples]
        stream = graph.concat(*parts, v=1, a=0) if len(parts) > 1 else parts[0]
    else:
        stream = chosen(gridded(path, plan), samples)
    return renumbered(apply(stream, plan.filters_of(family)), plan.rate)


def words(plan: EncodingPlan, samples: Sequence[Sample]) -> tuple[list[str], list[str]]:
    """ffmpeg's words before and behind those of a graph with `frames_of`."""
    return clock(part(plan, samples[-1])), ffmpeg.aside(index for index in plan.clock if index != plan.stream)


def chosen(stream: Any, samples: Sequence[Sample]) -> Any:
    """Their frames out of all; nothing is read behind the last."""
    terms = "+".join(f"between(n,{sample.first},{sample.end - 1})" for sample in samples)
    return stream.filter("trim", end_frame=samples[-1].end).filter("select", terms)


def renumbered(stream: Any, rate: Fraction) -> Any:
    """Frame k at k/rate, whatever its time was."""
    return stream.filter("settb", f"{rate.denominator}/{rate.numerator}").filter("setpts", "N")


def extract(
    tools: Tools,
    path: Path,
    plan: EncodingPlan,
    family: Family,
    samples: Sequence[Sample],
    out: Path,
    *,
    on_progress: Callable[[float], None] | None = None,
) -> EncodingPlan:
    """Writes their frames without loss to `out` (.mkv) and returns the plan for it, by which each sample begins with a
    key frame.

    Raises:
        SourceError: the source cannot be decoded.
    """
    frames = frames_of(path, plan, family, samples).filter("format", plan.encoder(family).pix_fmt)
    # Quick, not small: it is read a few times and thrown away.
    options = {"c:v": "libx264", "preset": "ultrafast", "qp": 0, "g": plan.gop, "fps_mode": "passthrough"}
    before, behind = words(plan, samples)
    args = [*ffmpeg.TOLERANT, *before, *graph.output(frames, str(out), **options).get_args(), *behind]
    count = sum(sample.frames for sample in samples)
    try:
        ffmpeg.ffmpeg(tools, args, duration=count / plan.rate, on_progress=on_progress)
    except CommandFailed as error:
        raise ffmpeg.undecodable("video", error) from None
    return plan.model_copy(
        update={
            "frames": count,
            "gop": length(plan),
            "stream": 0,
            "decoder": None,
            "start": Fraction(0),
            "skip": 0,
            "lead": 0,
            "seekable": False,
            "clock": (),
            "stretch": Fraction(1),
            # What the filters do is done.
            "before": (),
            "filters": (BARE,),
            "deep_filters": (BARE,),
        }
    )
