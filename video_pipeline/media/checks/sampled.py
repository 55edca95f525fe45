"""A few pictures, decoded and made small: of renditions, and of the source as the renditions are to show it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import ffmpeg as graph
import numpy as np
from numpy.typing import NDArray

from video_pipeline.media import ffmpeg, process
from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.tracks import TICK
from video_pipeline.media.graph import apply, clock, source_frames
from video_pipeline.media.limits import Limits
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.process import Completed
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import Family

SIDE = 32
"""Pixels of both sides: each is the mean of a part of the picture, in which the errors of coding cancel out."""
STALL_SECONDS = 60
_BYTES = 3 * SIDE * SIDE * 2
# The numbers as they are stored, whatever they are said to mean: with equal tags on both sides nothing is converted.
_BARE = "setparams=range=limited:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
_SMALL = f"{_BARE},scale={SIDE}:{SIDE}:flags=area+accurate_rnd,format=yuv444p16le"
_TAGS = re.compile(r"color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)")
Picture = NDArray[np.float64]
"""Y, Cb, Cr times rows times columns, in steps of 8 bits."""


@dataclass(frozen=True)
class Sample:
    """The pictures of one rendition that could be decoded, and what the decoder says that they are."""

    pictures: tuple[Picture, ...]
    tags: frozenset[tuple[str, ...]]
    """Range, matrix, primaries and transfer by ffmpeg's names."""


def moments(plan: EncodingPlan) -> list[int]:
    """Frames to look at, one for every 20 s, up to three: key frames of the grid, spread over the video where a source
    can be read from its middle, else from its beginning."""
    keys = range(0, plan.frames, plan.gop)
    count = min(3, 1 + int(plan.duration) // 20)
    if not plan.seekable:
        return list(keys[:count])
    return sorted({keys[round((n + 0.5) / count * (len(keys) - 1))] for n in range(count)})


def of_renditions(
    tools: Tools, plan: EncodingPlan, readings: Sequence[Reading], frames: Sequence[int], scratch: Path
) -> list[Sample]:
    """These frames of every rendition."""
    done = decoded(tools, plan, [(reading, frames) for reading in readings], f"showinfo,{_SMALL}", scratch)
    return [Sample(_pictures(one.stdout), frozenset(_TAGS.findall(one.stderr))) for one in done]


def decoded(
    tools: Tools,
    plan: EncodingPlan,
    wanted: Sequence[tuple[Reading, Sequence[int]]],
    filters: str,
    scratch: Path,
) -> list[Completed]:
    """What an ffmpeg gives for each of `wanted`, several at once: these frames of that rendition through `filters`, one
    after the other, without a header.

    Each is read as a player does that goes there: the header, and the one fragment that begins with its key frame.
    (ffmpeg itself, told to go to a time in such a file, leaves out fragments that do not begin a segment.)
    """
    argvs: list[list[str | Path]] = []
    with TemporaryDirectory(dir=scratch) as name:
        for number, (r, frames) in enumerate(wanted):
            argv: list[str | Path] = [tools.ffmpeg, "-hide_banner", "-nostdin", "-v", "info"]
            chains, there = "", 0
            for frame in frames:
                piece = cut(r, plan, [frame // plan.gop])
                if piece:
                    path = Path(name, f"{number}-{frame}.mp4")
                    path.write_bytes(piece)
                    place = frame % plan.gop
                    # Nothing behind the frame is decoded.
                    argv += ["-threads", "1", "-t", f"{float((place + 1) / plan.rate):.6f}", "-i", path]
                    chains += f"[{there}:v]trim=start_frame={place}:end_frame={place + 1},{filters}[{there}];"
                    there += 1
            joined = "".join(f"[{n}]" for n in range(there)) + f"concat=n={there}[all]"
            argv += ["-filter_complex", chains + joined, "-map", "[all]", "-fps_mode", "passthrough"]
            argvs.append([*argv, "-f", "rawvideo", "-"])
        return process.run_all(argvs, nice=tools.nice, stall_seconds=STALL_SECONDS, check=False, keep_log=True)


def cut(r: Reading, plan: EncodingPlan, numbers: Sequence[int]) -> bytes:
    """The file's header and its fragments with the key frames of these numbers; nothing if one of them is not there or
    not where it should be."""
    header, keys = r.bytes_of("moov"), r.packets[r.keys]
    starts = [box.offset for box in r.boxes if box.kind == "moof"]
    if header is None or not starts or max(numbers) >= len(keys):
        return b""
    with r.path.open("rb") as file:
        found = file.read(header[1])
        for number in numbers:
            late = float(r.times[r.keys][number]) - float(number * plan.gop / plan.rate)
            first = bisect_right(starts, int(keys["position"][number])) - 1
            if abs(late) > float(TICK) or first < 0:
                return b""
            end = starts[first + 1] if first + 1 < len(starts) else r.size
            file.seek(starts[first])
            found += file.read(end - starts[first])
    return found


def of_source(
    tools: Tools, plan: EncodingPlan, source: Path, family: Family, frames: Sequence[int], *, seek: bool = True
) -> list[Picture | None]:
    """What these frames of a family are made of, in the plan's colours; None where the source gives nothing.

    Args:
        seek: go to each; else everything before it is decoded, as when the renditions were made.
    """
    argvs: list[list[str | Path]] = []
    for frame in frames:
        update = {"start": plan.start + frame / plan.rate, "skip": plan.skip + frame, "frames": 1}
        part = plan.model_copy(update={**update, "seekable": plan.seekable and seek})
        stream = apply(source_frames(source, part, family), _SMALL.split(","))
        args = graph.output(stream, "pipe:1", format="rawvideo", fps_mode="passthrough").get_args()
        aside = ffmpeg.aside(index for index in plan.clock if index != plan.stream)
        argvs.append([tools.ffmpeg, "-v", "error", "-nostdin", *clock(part), *ffmpeg.TOLERANT, *args, *aside])
    limits = Limits(memory=ffmpeg.MEMORY)
    done = process.run_all(argvs, nice=tools.nice, limits=limits, stall_seconds=STALL_SECONDS, check=False)
    found = [_pictures(one.stdout) for one in done]
    return [pictures[0] if pictures else None for pictures in found]


def _pictures(raw: bytes) -> tuple[Picture, ...]:
    whole = len(raw) // _BYTES
    values = np.frombuffer(raw[: whole * _BYTES], "<u2").reshape(whole, 3, SIDE, SIDE) / 256
    return tuple(values)
