"""Encode the rungs of one family: one decode of the source feeds them all."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg as graph

from video_pipeline.errors import CommandFailed
from video_pipeline.media import decoding, ffmpeg, process
from video_pipeline.media.bitrate import average_and_peak
from video_pipeline.media.decoding import DecodeLog
from video_pipeline.media.files import blob_of
from video_pipeline.media.graph import clock, source_frames
from video_pipeline.media.model import EncodingPlan, RungPlan, VideoEncoder
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
            **_options(plan, rung, encoder),
        )
        for n, rung in enumerate(rungs)
    ]
    args: list[str] = graph.merge_outputs(*outputs).get_args() if len(outputs) > 1 else outputs[0].get_args()
    return [*clock(plan), *args, *ffmpeg.aside(index for index in plan.clock if index != plan.stream)]


def _scaled(stream: Any, rung: RungPlan) -> Any:
    stream = stream.filter("scale", rung.width, rung.height, flags="bicubic")
    return stream.filter("format", "yuv420p").filter("setsar", 1)


def _options(plan: EncodingPlan, rung: RungPlan, encoder: VideoEncoder) -> dict[str, Any]:
    return {
        "c:v": encoder.codec,
        "preset": encoder.preset,
        "profile:v": encoder.profile,
        "threads": encoder.threads,
        "crf": f"{rung.crf:g}",
        "maxrate": rung.maxrate,
        "bufsize": rung.bufsize,
        # The same grid in every rung: no key frame at a cut, none missing, no reference across one.
        "g": plan.gop,
        "keyint_min": plan.gop,
        "sc_threshold": 0,
        "flags:v": "+cgop+bitexact",
        **encoder.options,
        **_deterministic(encoder),
        # Whole ticks per frame, else segment borders of 29.97 drift.
        "video_track_timescale": timescale(plan.rate),
        "fps_mode": "passthrough",
        # Nothing of the source's tags or of this build's name may reach the file: same input, same bytes.
        "map_metadata": -1,
        "map_chapters": -1,
        "fflags": "+bitexact",
    }


def _deterministic(encoder: VideoEncoder) -> dict[str, str]:
    """x264 with a lookahead thread of its own decides now and then by what that thread has seen so far: of 20 encodes
    of one clip on four threads, three differed. Without it, 150 of 150 were the same."""
    if encoder.codec != "libx264":
        return {}
    return {"x264-params": ":".join([*filter(None, [encoder.options.get("x264-params")]), "sync-lookahead=0"])}


def timescale(rate: Fraction) -> int:
    """Ticks per second of which a frame takes a whole number; at least 10000 so that players' clocks are content."""
    return rate.numerator * math.ceil(Fraction(10_000, rate.numerator))


def packet_list(tools: Tools, path: Path) -> list[str]:
    """The ffprobe command whose output `average_and_peak` reads."""
    entries = ["-show_entries", "packet=pts_time,size", "-of", "csv=p=0"]
    return [str(tools.ffprobe), "-v", "error", *entries, str(path)]


def checkpoint_key(plan: EncodingPlan, rung: RungPlan, build: str) -> str:
    """Over all that shapes a rung's bits: the source, the clock, the rung, the encoder and its build."""
    encoder = plan.encoder(rung.family)
    parts = [plan.source_sha256, plan.start, plan.skip, plan.rate, plan.frames, plan.gop]
    parts += [plan.stream, plan.decoder, plan.clock, *plan.before, *plan.filters]
    options = json.dumps(_options(plan, rung, encoder), sort_keys=True, default=str)
    text = "\n".join([*map(str, parts), rung.model_dump_json(), encoder.model_dump_json(), options, build])
    return hashlib.sha256(text.encode()).hexdigest()
