"""Encode chunks of a source that is read in one pass: one decoder, and an encoder of its own for each chunk.

The decoder writes raw pictures, a file per chunk, and every file is a pipe from which its encoder reads. So an encoder
starts anew at each border, as it does where sources are read from the middle, and what is finished is not made again;
the pictures of chunks that are finished go nowhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path

import ffmpeg as graph

from video_pipeline.errors import TransientError
from video_pipeline.media import decoding, encode, ffmpeg, hardware
from video_pipeline.media.decoding import DecodeLog
from video_pipeline.media.graph import clock, source_frames
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.process import Job
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import Family, RungPlan


def run(
    tools: Tools,
    source: Path,
    plan: EncodingPlan,
    pieces: Sequence[EncodingPlan],
    missing: Mapping[int, Sequence[RungPlan]],
    out_dir: Path,
    at_once: int,
    done: Callable[[int, Path], None],
    on_progress: Callable[[float], None],
) -> DecodeLog:
    """Encodes the chunks named in `missing`, and returns what the decoder gave.

    Args:
        pieces: the plan of each chunk.
        missing: number of a chunk to the rungs that are missing of it.
        done: gets the number of a finished chunk and the directory with `<rung name>.mp4` of each of those.

    Raises:
        CommandFailed: the source cannot be decoded.
    """
    pipes = out_dir / "pipes"
    pipes.mkdir()
    for number in range(len(pieces)):
        if number in missing:
            os.mkfifo(pipes / _name(number))
        else:
            (pipes / _name(number)).symlink_to(os.devnull)
    log, short = DecodeLog(), set(missing)

    def finished(number: int, frames: int) -> None:
        if frames == pieces[number].frames:
            short.discard(number)
            done(number, out_dir / f"{number:05d}")

    family = next(iter(missing.values()))[0].family

    def jobs() -> Iterator[Job]:
        yield ffmpeg.prepared(
            tools,
            [*ffmpeg.TOLERANT, *_decoder(source, plan, pieces, family)],
            duration=plan.duration,
            on_progress=on_progress,
            cwd=pipes,
            on_output=log.take_output,
            on_log=log.take_log,
        )
        for number, rungs in missing.items():
            place = out_dir / f"{number:05d}"
            place.mkdir()
            yield _encoder(tools, pipes / _name(number), pieces[number], rungs, place, partial(finished, number))

    # The decoder goes on all the time, mostly waiting for an encoder to take what it has.
    ffmpeg.run_queue(tools, jobs(), at_once + 1, hardware.memory(plan.encoder(family).codec))
    if short:
        raise TransientError(f"{len(short)} of {len(missing)} chunks got too few frames, the first is {min(short)}")
    return log


def _name(number: int) -> str:
    return f"{number:05d}.nut"


def _decoder(source: Path, plan: EncodingPlan, pieces: Sequence[EncodingPlan], family: Family) -> list[str]:
    starts = list(accumulate(piece.frames for piece in pieces))[:-1]
    options = {
        "f": "segment",
        "segment_format": "nut",
        "segment_frames": ",".join(map(str, starts)),
        "c:v": "rawvideo",
        "enc_time_base": "filter",
        "fps_mode": "passthrough",
        "fflags": "+bitexact",
        **decoding.LINES,
    }
    args: list[str] = graph.output(source_frames(source, plan, family), "%05d.nut", **options).get_args()
    return [*clock(plan), *args, *ffmpeg.aside(index for index in plan.clock if index != plan.stream)]


def _encoder(
    tools: Tools,
    pipe: Path,
    piece: EncodingPlan,
    rungs: Sequence[RungPlan],
    place: Path,
    finished: Callable[[int], None],
) -> Job:
    log = DecodeLog()
    args = encode.command(pipe, piece, rungs, place, raw=True, vaapi=tools.vaapi)
    return ffmpeg.prepared(tools, args, on_output=log.take_output, done=lambda _: finished(len(log.numbers)))
