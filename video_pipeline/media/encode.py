"""Encode the rungs of one family: one decode of the source feeds them all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ffmpeg as graph

from video_pipeline.errors import CommandFailed
from video_pipeline.media import decoding, ffmpeg, process
from video_pipeline.media.bitrate import average_and_peak
from video_pipeline.media.decoding import DecodeLog
from video_pipeline.media.encoders import options
from video_pipeline.media.files import blob_of
from video_pipeline.media.graph import clock, source_frames
from video_pipeline.media.model import EncodingPlan, RungPlan
from video_pipeline.media.products import Track
from video_pipeline.media.tools import Tools


def encode(
    tools: Tools,
    source: Path,
    plan: EncodingPlan,
    rungs: Sequence[RungPlan],
    out_dir: Path,
    *,
    on_progress: Callable[[float], None] | None = None,
    log: DecodeLog | None = None,
) -> tuple[Track, ...]:
    """Encodes `rungs` (of one family) into `<out_dir>/<rung name>.mp4`, video only, in one ffmpeg.

    Args:
        log: gets what the decoder gave, a line per frame.

    Raises:
        SourceError: the source cannot be decoded.
    """
    if not rungs:
        return ()
    log = log or DecodeLog()
    args = [*ffmpeg.TOLERANT, *command(source, plan, rungs, out_dir)]
    try:
        ffmpeg.ffmpeg(
            tools,
            args,
            duration=plan.duration,
            on_progress=on_progress,
            on_output=log.take_output,
            on_log=log.take_log,
        )
    except CommandFailed as error:
        raise ffmpeg.undecodable("video", error) from None
    listed = process.run_all(
        [packet_list(tools, out_dir / f"{rung.name}.mp4") for rung in rungs],
        nice=tools.nice,
    )
    tracks = []
    for rung, packets in zip(rungs, listed, strict=True):
        average, peak = average_and_peak(packets.stdout, plan)
        file = blob_of(out_dir / f"{rung.name}.mp4")
        tracks.append(Track(name=rung.name, file=file, bit_rate=average, peak_bit_rate=peak))
    return tuple(tracks)


def command(source: Path, plan: EncodingPlan, rungs: Sequence[RungPlan], out_dir: Path) -> list[str]:
    """The arguments of that one ffmpeg, without its global flags."""
    encoder = plan.encoder(rungs[0].family)
    frames = source_frames(source, plan)
    branches = frames.split() if len(rungs) > 1 else [frames]
    outputs = [
        graph.output(
            _scaled(branches[n] if len(rungs) > 1 else frames, rung),
            str(out_dir / f"{rung.name}.mp4"),
            **({} if n else decoding.LINES),
            **options(plan, rung, encoder),
        )
        for n, rung in enumerate(rungs)
    ]
    args: list[str] = graph.merge_outputs(*outputs).get_args() if len(outputs) > 1 else outputs[0].get_args()
    return [*clock(plan), *args, *ffmpeg.aside(index for index in plan.clock if index != plan.stream)]


def _scaled(stream: Any, rung: RungPlan) -> Any:
    stream = stream.filter("scale", rung.width, rung.height, flags="bicubic")
    return stream.filter("format", "yuv420p").filter("setsar", 1)


def packet_list(tools: Tools, path: Path) -> list[str]:
    """The ffprobe command whose output `average_and_peak` reads."""
    entries = ["-show_entries", "packet=pts_time,size", "-of", "csv=p=0"]
    return [str(tools.ffprobe), "-v", "error", *entries, str(path)]


def checkpoint_key(plan: EncodingPlan, rung: RungPlan, build: str) -> str:
    """Over all that shapes a rung's bits: the source, the clock, the rung, the encoder and its build."""
    encoder = plan.encoder(rung.family)
    parts = [plan.source_sha256, plan.start, plan.skip, plan.rate, plan.frames, plan.gop]
    parts += [plan.stream, plan.decoder, plan.clock, *plan.before, *plan.filters]
    shaping = json.dumps(options(plan, rung, encoder), sort_keys=True, default=str)
    text = "\n".join([*map(str, parts), rung.model_dump_json(), encoder.model_dump_json(), shaping, build])
    return hashlib.sha256(text.encode()).hexdigest()
