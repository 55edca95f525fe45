"""A few seconds that stand for a whole video: which they are, and their frames as every rung is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import ffmpeg as graph
import numpy as np
import numpy.typing as npt

from video_pipeline.errors import CommandFailed
from video_pipeline.media import complexity, ffmpeg
from video_pipeline.media.graph import apply, clock, gridded
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import BARE
from video_pipeline.media.targets import Sample
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import Family

SHORT = 8.0
"""Seconds of which nothing is left out."""
LOSSLESS = {8: "utvideo", 10: "ffvhuff"}
"""Encoders by bit depth: quick, above all to read again; the files are large, and thrown away."""


def choose(tools: Tools, path: Path, plan: EncodingPlan) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """Samples that stand for the whole, in order of time, and others that do as well, as far as there are more: always
    the same for one file and grid.

    Each is a GOP, which encodes alone as it does in the whole (halves of them had 10 % fewer bits and 0.5 less VMAF).
    Of each stretch of time the one whose complexity makes up for what the ones before were too hard or too easy. In
    minutes of 14 clips joined, 4 to 10 of them are off the whole by 0.77 VMAF (RMS) and 6 % of the bit rate, evenly
    spaced ones by 0.87 and 10 %.
    """
    unit = plan.gop
    hard = complexity.activity(tools, path, plan, unit)
    if len(hard) > 1 and plan.frames - (len(hard) - 1) * unit < unit / 2:
        hard = hard[:-1]  # too little is left at the end to count as much as the others
    count = min(len(hard), max(1, round(seconds(float(plan.duration)) * plan.rate / unit)))
    places = balanced(hard, count)
    return at(places, unit, plan.frames), at(balanced(hard, count, avoided=places), unit, plan.frames)


def at(places: Sequence[int], unit: int, frames: int) -> tuple[Sample, ...]:
    return tuple(Sample(first=place * unit, frames=min(unit, frames - place * unit)) for place in places)


def seconds(duration: float) -> float:
    """How much of a video is sampled, both in s: all of a short one, and of longer ones less than in proportion, for
    what counts is how many there are. Of a minute it is what half the CPU time of its encode allows."""
    return float(max(min(duration, SHORT), 12 * (duration / 60) ** 0.25))


def balanced(hard: npt.NDArray[np.float64], count: int, avoided: Sequence[int] = ()) -> list[int]:
    """Places of `count` parts, one of each of as many stretches, that are together about as hard as all.

    Args:
        avoided: not these, unless there is no other in a stretch.
    """
    ranks = np.argsort(np.argsort(hard, kind="stable"), kind="stable") / max(1, len(hard) - 1)
    places, owed = [], 0.0
    for stretch in np.array_split(np.arange(len(hard)), count):
        wanted = ranks[stretch].mean() + owed
        free = np.setdiff1d(stretch, avoided)
        free = free if len(free) else stretch
        place = int(free[np.argmin(np.abs(ranks[free] - wanted))])
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


def joined(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Where they are when they follow each other."""
    starts = accumulate((sample.frames for sample in samples), initial=0)
    return tuple(Sample(first=first, frames=sample.frames) for first, sample in zip(starts, samples, strict=False))


def only(plan: EncodingPlan, samples: Sequence[Sample], chosen: Sequence[Sample]) -> EncodingPlan:
    """The plan by which some of the samples in a file of `extract` are all there is."""
    places = [place for sample, place in zip(samples, joined(samples), strict=True) if sample in chosen]
    terms = "+".join(f"between(n,{place.first},{place.end - 1})" for place in places)
    tick = f"{plan.rate.denominator}/{plan.rate.numerator}"
    before = (f"select={terms}", f"settb={tick}", "setpts=N")
    return plan.model_copy(update={"before": before, "frames": sum(place.frames for place in places)})


def words(args: Sequence[str], path: Path, plan: EncodingPlan, samples: Sequence[Sample]) -> list[str]:
    """ffmpeg's words for a graph with `frames_of`, whose own are `args`."""
    inputs = [word for flag, word in pairwise(args) if flag == "-i"]
    others = (index for index in plan.clock if index != plan.stream)
    behind = ffmpeg.aside(others, inputs.index(ffmpeg.name(path)))
    return [*ffmpeg.TOLERANT, *clock(part(plan, samples[-1])), *args, *behind]


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
    options = {"c:v": LOSSLESS[plan.encoder(family).bit_depth], "fps_mode": "passthrough"}
    args = words(graph.output(frames, str(out), **options).get_args(), path, plan, samples)
    count = sum(sample.frames for sample in samples)
    try:
        ffmpeg.ffmpeg(tools, args, duration=count / plan.rate, on_progress=on_progress)
    except CommandFailed as error:
        raise ffmpeg.undecodable("video", error) from None
    return plan.model_copy(
        update={
            "frames": count,
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
