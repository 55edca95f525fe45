"""Which picture of the source each frame of the renditions shows, read from the encode itself."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import ffmpeg as graph
import numpy as np

from video_pipeline.errors import CommandFailed
from video_pipeline.media import decoding, ffmpeg, slow_motion
from video_pipeline.media.decoding import NO_TIME, DecodeLog
from video_pipeline.media.graph import clock, gridded
from video_pipeline.media.model import EncodingPlan, Span
from video_pipeline.media.products import ChunkMap, FrameMap
from video_pipeline.media.technical import FrameTiming
from video_pipeline.media.tools import Tools

TICK = Fraction(1, 500)
"""Seconds: containers that write milliseconds round each time."""
GAP = Fraction(3, 2)
"""A picture that is shown longer than the longest of the source's own distances times this stands for lost ones."""


def frame_map(log: DecodeLog, plan: EncodingPlan, source: FrameTiming) -> FrameMap:
    """What the encode has shown.

    Args:
        log: of the encode, one line per frame.
        source: the clock of the source's pictures.
    """
    source = slow_motion.stretched(source, plan.stretch)
    numbers = np.frombuffer(log.numbers, np.int64) if log.numbers else np.empty(0, np.int64)
    steps = np.diff(numbers)
    held = _held(numbers, plan, source)
    return FrameMap(
        frames=len(numbers),
        pictures=int(np.unique(numbers).size),
        repeated=int((steps == 0).sum()),
        skipped=int((steps - 1).clip(0).sum()),
        lost=_lost(numbers, held, plan, source),
        broken=log.broken,
        places=_merged([*log.places(), *held]),
        worst_offset=_worst_offset(log, plan),
    )


def chunk_map(log: DecodeLog, plan: EncodingPlan, source: FrameTiming) -> ChunkMap:
    """What the encode of one chunk has shown; `plan` is the chunk's."""
    shown = frame_map(log, plan, source)
    times = [log.source_times[0], log.source_times[-1]] if log.numbers else [NO_TIME, NO_TIME]
    first, last = (None if time == NO_TIME else time * log.source_tick * plan.stretch for time in times)
    decoded = max(log.numbers) - (log.numbers[0] if plan.skip else 0) + 1 if log.numbers else 0
    return ChunkMap(shown=shown, decoded=decoded, first=first, last=last)


def joined(
    maps: Sequence[ChunkMap], plans: Sequence[EncodingPlan], whole: EncodingPlan, source: FrameTiming
) -> FrameMap:
    """The map of all chunks together.

    Args:
        maps, plans: of each chunk, in order.
    """
    source = slow_motion.stretched(source, whole.stretch)
    # A picture that stands where two chunks meet was counted in both; those that stand in none were skipped.
    steps = [_step(before.last, after.first, source) for before, after in itertools.pairwise(maps)]
    same, between = steps.count(0), sum(max(0, step - 1) for step in steps)
    shown = [one.shown for one in maps]
    decoded = sum(one.decoded for one in maps) - same + between
    places = [
        Span(start=place.start + float(offset), end=place.end + float(offset))
        for one, plan in zip(shown, plans, strict=True)
        for offset in [(plan.skip - whole.skip) / plan.rate]
        for place in one.places
    ]
    return FrameMap(
        frames=sum(one.frames for one in shown),
        pictures=sum(one.pictures for one in shown) - same,
        repeated=sum(one.repeated for one in shown) + same,
        skipped=sum(one.skipped for one in shown) + between,
        lost=sum(one.lost for one in shown) if whole.skip else _missing(decoded, whole, source),
        broken=sum(one.broken for one in shown),
        places=_merged(places),
        worst_offset=max(one.worst_offset for one in shown),
    )


def read(tools: Tools, path: Path, plan: EncodingPlan, source: FrameTiming) -> FrameMap:
    """As `frame_map`, by decoding the source without encoding it.

    Raises:
        SourceError: it cannot be decoded.
    """
    log = DecodeLog()
    frames = gridded(path, plan)
    options = {"c:v": "wrapped_avframe", "enc_time_base": "filter", "fps_mode": "passthrough", "f": "null"}
    args = [*ffmpeg.TOLERANT, *clock(plan), *graph.output(frames, "-", **decoding.LINES, **options).get_args()]
    args += ffmpeg.aside(index for index in plan.clock if index != plan.stream)
    try:
        ffmpeg.ffmpeg(tools, args, on_output=log.take_output, on_log=log.take_log)
    except CommandFailed as error:
        raise ffmpeg.undecodable("video", error) from None
    return frame_map(log, plan, source)


def most_offset(plan: EncodingPlan) -> float:
    """How far from its time a picture may be shown, s: half a frame by rounding; where frames are made of fields, or
    taken out of several pictures, theirs comes on top."""
    return float(Fraction(1, 2) / plan.rate + TICK + plan.mixing)


def read_honestly(plan: EncodingPlan, shown: FrameMap) -> bool:
    """Whether a source that was read from its middle gave what it gives from its beginning, as far as can be told."""
    return not (plan.seekable and plan.skip) or (shown.worst_offset <= most_offset(plan) and not shown.damage)


def checkpoint_key(plan: EncodingPlan, build: str) -> str:
    """Over all that decides which picture a frame shows."""
    parts = [plan.source_sha256, plan.stream, plan.clock, plan.start, plan.skip, plan.rate, plan.frames]
    return hashlib.sha256("\n".join(map(str, [*parts, *plan.before, build])).encode()).hexdigest()


def _lost(numbers: np.ndarray, held: list[Span], plan: EncodingPlan, source: FrameTiming) -> int:
    """How many of the source's pictures did not come: by their number, of a part of the source by the gaps."""
    if plan.skip:
        return sum(max(0, round((span.end - span.start) / source.common_step) - 1) for span in held)
    return _missing(int(numbers.max()) + 1 if len(numbers) else 0, plan, source)


def _missing(decoded: int, plan: EncodingPlan, source: FrameTiming) -> int:
    # Nobody waits for what is shown after the last frame to be decoded.
    due = plan.start + (plan.frames - Fraction(1, 2)) / plan.rate
    after = max(0, math.ceil((source.end - due) / source.short_step))
    return max(0, source.frames - decoded - after)


def _step(last: Fraction | None, first: Fraction | None, source: FrameTiming) -> int:
    """From the last picture of a chunk to the first of the next."""
    return 1 if last is None or first is None else max(0, round((first - last) / source.common_step))


def _held(numbers: np.ndarray, plan: EncodingPlan, source: FrameTiming) -> list[Span]:
    """Where one picture stands although the source has others then."""
    longest = max(1, round(GAP * max(source.longest_step, 1 / plan.rate) * plan.rate))
    # Before its first picture and behind its last one the source has no other, and they may stay for the sound.
    spans, start = [], max(0, plan.lead - plan.skip)
    due = max(1, math.ceil((source.end - plan.start) * plan.rate))
    for _, run in itertools.groupby(numbers[start:due].tolist()):
        length = sum(1 for _ in run)
        if length > longest:
            spans.append(Span(start=float(start / plan.rate), end=float((start + length) / plan.rate)))
        start += length
    return spans


def _worst_offset(log: DecodeLog, plan: EncodingPlan) -> float:
    """The largest distance between a frame's time and that of the picture it shows first, s."""
    places: dict[int, int] = {}
    for place, number in enumerate(log.numbers):
        places.setdefault(number, place)
    times = [log.source_times[place] for place in places.values()]
    # Some decoders (VC-1) stamp pictures in the order they are coded, which says nothing of when they are shown.
    if NO_TIME in times or times != sorted(times):
        return 0.0
    offsets = [
        time * log.source_tick * plan.stretch - plan.start - place / plan.rate
        for time, place in zip(times, places.values(), strict=True)
    ]
    if plan.lead > plan.skip:  # the first picture is shown before its time
        offsets[:1] = [offset - (plan.lead - plan.skip) / plan.rate for offset in offsets[:1]]
    elif plan.skip:  # a trim may begin anywhere in its first picture
        offsets[:1] = [max(Fraction(0), offset) for offset in offsets[:1]]
    return round(float(max(map(abs, offsets), default=Fraction(0))), 6)


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if merged and span.start <= merged[-1].end + 1:
            merged[-1] = Span(start=merged[-1].start, end=max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)
