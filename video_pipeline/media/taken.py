"""The chosen frames in full size: from the source, as every rung is made from it, where that costs little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import ffmpeg as graph
import numpy as np
from PIL import Image

from video_pipeline.media import ffmpeg, listing, parallel, process, samples
from video_pipeline.media.frame_score import SIDE, Scored
from video_pipeline.media.graph import apply, gridded
from video_pipeline.media.limits import Limits
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.targets import Sample
from video_pipeline.media.tools import Tools

AT_ONCE = 5
"""Pictures that one ffmpeg takes out: its start costs as much as to decode 40 in 720p."""
PIXELS, TIMES = 25 * 10**8, 2
"""So much of the source may be decoded for it, in pixels of the largest rung (300 pictures in 4k, 2700 in 720p: some
5 s of CPU time); or so many times as many pictures as of the rung, if that is more."""
MOST_BYTES = 2**29
"""Of raw pictures that are held at once."""
DOUBT = 5.0
"""Of 255, mean difference of luma in SIDE times SIDE pixels from the small rung; above, it may be another frame."""
OTHER = 6.0
"""Likewise of RGB from the rung's frame, above which it is one; the check `picture_times` allows 8."""
STALL_SECONDS = 60
Size = tuple[int, int]


@dataclass(frozen=True)
class Taken:
    frame: int
    picture: Image.Image
    of_source: bool


def take(
    tools: Tools,
    source: Path | None,
    large: Path,
    frames: Sequence[int],
    size: Size,
    plan: EncodingPlan,
    scored: Mapping[int, Scored],
) -> Iterator[Taken]:
    """Each of these frames once, in order.

    A source is read from the key frames before them, or, where it cannot be read from its middle, in one pass up to the
    last of them. If that would decode much more than to take them from the largest rung (there are few key frames, or
    it is a long video of fields), or if the source gives nothing there or another picture, the rung's frame is taken.

    Args:
        frames: without repeats, in order.
        scored: what the frames look like in the small rung.
    """
    ways = _ways(tools, source, frames, size, plan) if source else []
    if source and ways:
        commands = [(list(way.frames), _of_source(tools, source, way, size, plan)) for way in ways]
    else:
        parts = [frames[start : start + AT_ONCE] for start in range(0, len(frames), AT_ONCE)]
        commands = [(list(part), _of_rung(tools, large, part, size, plan)) for part in parts]
    for own, raw in _run(tools, commands):
        found = _opened(raw, own, size)
        for frame in own:
            picture, ours = found.get(frame), bool(ways)
            if ours and (picture is None or _doubtful(picture, scored.get(frame))):
                ((_, rung),) = _run(tools, [([frame], _of_rung(tools, large, [frame], size, plan))])
                instead = _opened(rung, [frame], size).get(frame)
                if instead is not None and (picture is None or _away(picture, instead)):
                    picture, ours = instead, False
            # A frame that nothing gives is caught by the check of the pictures' times.
            yield Taken(frame, picture or Image.new("RGB", size), ours)


@dataclass(frozen=True)
class _Way:
    """What one ffmpeg does."""

    groups: tuple[tuple[int, ...], ...]
    """Frames that are decoded in one go."""
    seeks: bool

    @property
    def frames(self) -> tuple[int, ...]:
        return tuple(frame for group in self.groups for frame in group)


def _ways(tools: Tools, source: Path, frames: Sequence[int], size: Size, plan: EncodingPlan) -> list[_Way]:
    """Nothing if it would cost too much."""
    rung = plan.family(plan.plain)[0]
    limit = max(PIXELS // (rung.width * rung.height), TIMES * sum(frame % plan.gop + 1 for frame in frames))
    once = frames[-1] + 1 + (0 if plan.seekable else plan.skip)
    through = once <= limit and 3 * size[0] * size[1] * len(frames) <= MOST_BYTES
    groups = _groups(tools, source, frames, plan) if plan.seekable else []
    cost = sum(round((float(_time(own[-1], plan)) - key) * plan.rate) + 1 for key, own in groups)
    if through and (once <= cost or not groups):
        return [_Way((tuple(frames),), seeks=False)]
    ways: list[list[tuple[int, ...]]] = []
    for _, own in groups if cost <= limit else ():
        if not ways or sum(map(len, ways[-1])) + len(own) > AT_ONCE:
            ways.append([])
        ways[-1].append(tuple(own))
    return [_Way(tuple(way), seeks=True) for way in ways]


def _groups(tools: Tools, source: Path, frames: Sequence[int], plan: EncodingPlan) -> list[tuple[float, list[int]]]:
    """Frames that are decoded from the same key frame on, with its time, s."""
    times = ",".join(f"{float(_time(frame, plan)):.3f}%+#1" for frame in frames)
    shown = ("-select_streams", str(plan.stream), "-show_entries", "packet=pts_time", "-of", "csv=p=0")
    argv = listing.command(tools, source, *shown, "-read_intervals", times)
    (done,) = process.run_all([argv], nice=tools.nice, limits=listing.LIMITS, stall_seconds=STALL_SECONDS, check=False)
    found = (listing.fraction(line.strip(", ")) for line in done.stdout.decode("ascii", "replace").splitlines())
    keys: list[Fraction] = [Fraction(0), *sorted(time for time in found if time)]
    groups: list[tuple[float, list[int]]] = []
    for frame in frames:
        key = float(max(key for key in keys if key <= max(Fraction(0), _time(frame, plan))))
        if not groups or groups[-1][0] != key:
            groups.append((key, []))
        groups[-1][1].append(frame)
    return groups


def _time(frame: int, plan: EncodingPlan) -> Fraction:
    return plan.start + frame / plan.rate


def _of_source(tools: Tools, source: Path, way: _Way, size: Size, plan: EncodingPlan) -> list[str | Path]:
    spans = [Sample(first=own[0], frames=own[-1] + 1 - own[0]) for own in way.groups]
    spans = spans if way.seeks else list(samples.whole(plan))
    streams = []
    for own, span in zip(way.groups, spans, strict=True):
        grid = gridded(source, samples.part(plan, span))
        streams.append(samples.chosen(grid, [Sample(first=frame - span.first, frames=1) for frame in own]))
    joined = graph.concat(*streams, v=1, a=0) if len(streams) > 1 else streams[0]
    upright = apply(samples.renumbered(joined, plan.rate), plan.filters_of(plan.plain))
    scaled = upright.filter("scale", *size, flags="lanczos").filter("format", "rgb24")
    args = graph.output(scaled, "pipe:1", format="rawvideo", fps_mode="passthrough").get_args()
    return [tools.ffmpeg, "-v", "error", "-nostdin", *samples.words(args, source, plan, spans)]


def _of_rung(tools: Tools, large: Path, frames: Sequence[int], size: Size, plan: EncodingPlan) -> list[str | Path]:
    """Exact frames of the grid: a seek to half a frame before lands on the key frame and decodes up to it."""
    scaled = f"trim=end_frame=1,scale={size[0]}:{size[1]}:flags=lanczos,format=rgb24"
    argv: list[str | Path] = [tools.ffmpeg, "-v", "error", "-nostdin"]
    for frame in frames:
        start = max(0.0, float((frame - Fraction(1, 2)) / plan.rate))
        argv += ["-threads", "1", "-ss", f"{start:.6f}", "-t", f"{float(1 / plan.rate):.6f}", "-i", large]
    chains = "".join(f"[{n}:v]{scaled}[{n}];" for n in range(len(frames)))
    joined = "".join(f"[{n}]" for n in range(len(frames))) + f"concat=n={len(frames)}[all]"
    argv += ["-filter_complex", chains + joined, "-map", "[all]", "-fps_mode", "passthrough"]
    return [*argv, "-f", "rawvideo", "-"]


def _run(tools: Tools, commands: Sequence[tuple[list[int], list[str | Path]]]) -> Iterator[tuple[list[int], bytes]]:
    """What each gives for its frames, several at once."""
    width, limits = parallel.readers(), Limits(memory=ffmpeg.MEMORY)
    for start in range(0, len(commands), width):
        own = commands[start : start + width]
        argvs = [argv for _, argv in own]
        done = process.run_all(argvs, nice=tools.nice, limits=limits, stall_seconds=STALL_SECONDS, check=False)
        for (frames, _), one in zip(own, done, strict=True):
            yield frames, one.stdout


def _opened(raw: bytes, frames: Sequence[int], size: Size) -> dict[int, Image.Image]:
    """Nothing unless it is as many as were asked for: nobody knows which is missing."""
    length = 3 * size[0] * size[1]
    if len(raw) != length * len(frames):
        return {}
    return {frame: Image.frombytes("RGB", size, raw[n * length : (n + 1) * length]) for n, frame in enumerate(frames)}


def _doubtful(picture: Image.Image, seen: Scored | None) -> bool:
    """Whether it may be another frame than the small rung's."""
    if seen is None or not seen.small:
        return True
    luma = np.asarray(_shrunk(picture), np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    due = np.frombuffer(seen.small, np.uint8).reshape(SIDE, SIDE)
    return float(np.abs(luma - due).mean()) > DOUBT


def _away(picture: Image.Image, rung: Image.Image) -> bool:
    one, other = (np.asarray(_shrunk(each), np.int16) for each in (picture, rung))
    return float(np.abs(one - other).mean()) > OTHER


def _shrunk(picture: Image.Image) -> Image.Image:
    return picture.resize((SIDE, SIDE), Image.Resampling.BOX)
