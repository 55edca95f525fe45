"""The command that encodes rungs of one family: one decode of the source feeds them all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg as graph

from video_pipeline.media import chunks, decoding, ffmpeg
from video_pipeline.media.encoders import options
from video_pipeline.media.graph import clock, raw_frames, source_frames
from video_pipeline.media.model import EncodingPlan, RungPlan
from video_pipeline.media.tools import Tools


def command(
    source: Path, plan: EncodingPlan, rungs: Sequence[RungPlan], out_dir: Path, *, raw: bool = False
) -> list[str]:
    """The arguments of one ffmpeg, without its global flags, that encodes `rungs` (of one family) into
    `<out_dir>/<rung name>.mp4`, video only, and writes the lines of `decoding.LINES` to its standard output.

    Args:
        raw: the source is a pipe with the frames of the plan, as `source_frames` gives them.
    """
    encoder = plan.encoder(rungs[0].family)
    frames = (raw_frames if raw else source_frames)(source, plan, encoder.family)
    branches = frames.split() if len(rungs) > 1 else [frames]
    outputs = [
        graph.output(
            _scaled(branches[n] if len(rungs) > 1 else frames, rung, encoder.pix_fmt),
            str(out_dir / f"{rung.name}.mp4"),
            **({} if n else decoding.LINES),
            **options(plan, rung, encoder),
        )
        for n, rung in enumerate(rungs)
    ]
    args: list[str] = graph.merge_outputs(*outputs).get_args() if len(outputs) > 1 else outputs[0].get_args()
    if raw:
        return args
    return [*clock(plan), *args, *ffmpeg.aside(index for index in plan.clock if index != plan.stream)]


def _scaled(stream: Any, rung: RungPlan, pix_fmt: str) -> Any:
    stream = stream.filter("scale", rung.width, rung.height, flags="bicubic")
    return stream.filter("format", pix_fmt).filter("setsar", 1)


def packet_list(tools: Tools, path: Path) -> list[str]:
    """The ffprobe command whose output `average_and_peak` reads."""
    entries = ["-show_entries", "packet=pts_time,size", "-of", "csv=p=0"]
    return [str(tools.ffprobe), "-v", "error", *entries, str(path)]


def checkpoint_key(plan: EncodingPlan, rung: RungPlan, build: str) -> str:
    """Over all that shapes the bits of a rung, or a chunk of one: the source, the clock, the rung, the encoder and its
    build."""
    encoder = plan.encoder(rung.family)
    parts = [plan.source_sha256, plan.start, plan.skip, plan.rate, plan.frames, plan.gop]
    parts += [chunks.SECONDS, plan.stream, plan.decoder, plan.clock, *plan.before, *plan.filters_of(rung.family)]
    shaping = json.dumps(options(plan, rung, encoder), sort_keys=True, default=str)
    text = "\n".join([*map(str, parts), rung.model_dump_json(), encoder.model_dump_json(), shaping, build])
    return hashlib.sha256(text.encode()).hexdigest()
