"""Filter graphs: planned filters by their text, and any source's clock onto the plan's grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg as graph

from video_pipeline.media import ffmpeg
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.video_plan import Family

INPUT = {
    **ffmpeg.SOURCE_OPTIONS,
    # The plan's filters turn the picture, after it is made of whole frames.
    "noautorotate": None,
    # A picture of another size in mid-file goes through the same graph, whose first filter makes it fit.
    "reinit_filter": 0,
}

BEFORE = 0.1
"""Seconds that are read before the first frame: its picture begins up to half a frame earlier."""
FLATTEN = "flatten"
"""Ours, beside ffmpeg's own: a transparent picture is laid over a colour."""


def apply(stream: Any, filters: Sequence[str]) -> Any:
    """Filters as ffmpeg writes them, "name=option=value:option=value", one after the other."""
    for text in filters:
        name, _, rest = text.partition("=")
        if name == FLATTEN:
            stream = _flattened(stream, rest)
            continue
        words = rest.split(":") if rest else []
        named = dict(word.split("=", 1) for word in words if "=" in word)
        stream = stream.filter(name, *(word for word in words if "=" not in word), **named)
    return stream


def _flattened(stream: Any, colour: str) -> Any:
    """Over a picture of that colour made from the frame itself, so that both have the same clock."""
    both = stream.filter_multi_output("split")
    plain = both.stream(0).filter("drawbox", color=f"{colour}@1", thickness="fill", replace=1)
    return plain.overlay(both.stream(1), format="auto")


def on_grid(stream: Any, plan: EncodingPlan) -> Any:
    """Exactly `plan.frames` frames, frame k at k/rate, each the last picture that has begun by then; where the source
    has ended, its last one.

    A trim cuts the grid of the whole source, so that it shows the very pictures the whole would show.
    """
    rate = plan.rate
    stream = stream.filter("setpts", f"PTS-({plan.start - plan.skip / rate})/TB")
    # From the source's first frame, also where it is read from its middle: the picture of the first frame that is kept
    # may have begun long before. By default fps leaves the last picture out if it lasts less than half a frame.
    options = {"start_time": 0, "round": "near", "eof_action": "pass"}
    stream = stream.filter("fps", fps=f"{rate.numerator}/{rate.denominator}", **options)
    stream = stream.filter("tpad", stop_mode="clone", stop=-1)
    if not plan.skip:
        return stream.filter("trim", end_frame=plan.frames)
    stream = stream.filter("trim", start_frame=plan.skip, end_frame=plan.skip + plan.frames)
    return stream.filter("setpts", "PTS-STARTPTS")


def source_frames(path: Path, plan: EncodingPlan, family: Family) -> Any:
    """The source's pictures as every rung of this family is made from: whole frames on the grid, upright, in the
    colours of the plan."""
    return apply(gridded(path, plan), plan.filters_of(family))


def raw_frames(pipe: Path, plan: EncodingPlan, family: Family) -> Any:
    """The same from a pipe through which another ffmpeg sends them, in NUT: it carries neither colours nor the rate."""
    stream = graph.input(ffmpeg.name(pipe), f="nut")["0"]
    stream = stream.filter("settb", f"{plan.rate.denominator}/{plan.rate.numerator}").filter("setpts", "N")
    return apply(stream, [text for text in plan.filters_of(family) if text.startswith("setparams=")])


def gridded(path: Path, plan: EncodingPlan) -> Any:
    """Whole frames on the grid, else as they are. To be run with the words of `clock`."""
    # From the key frame before, and every picture since: one of them is the first frame's.
    seek = {"noaccurate_seek": None, "ss": f"{_seek(plan):.6f}"} if _seek(plan) else {}
    decoder = {f"c:{plan.stream}": plan.decoder} if plan.decoder else {}
    stream = graph.input(ffmpeg.name(path), **INPUT, **seek, **decoder)[str(plan.stream)]
    return on_grid(apply(stream, plan.before), plan)


def clock(plan: EncodingPlan) -> list[str]:
    """ffmpeg's global words that keep the source's times where it does not start at the source's beginning."""
    return ["-copyts", "-start_at_zero"] if _seek(plan) else []


def _seek(plan: EncodingPlan) -> float:
    """Where to begin to read, s; 0 for the beginning."""
    return max(0.0, float(plan.start) - BEFORE) if plan.seekable and plan.skip else 0.0
