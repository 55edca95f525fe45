"""The command that encodes rungs of one family: one decode of the source feeds them all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ffmpeg as graph

from video_pipeline.media import chunks, decoding, ffmpeg, hardware
from video_pipeline.media.encoders import options
from video_pipeline.media.graph import apply, clock, raw_frames, source_frames
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.tools import VAAPI, Tools
from video_pipeline.media.video_plan import RungPlan, VideoEncoder


def command(
    source: Path,
    plan: EncodingPlan,
    rungs: Sequence[RungPlan],
    out_dir: Path,
    *,
    raw: bool = False,
    vaapi: Path = VAAPI,
) -> list[str]:
    """The arguments of one ffmpeg, without its global flags, that encodes `rungs` (of one family) into
    `<out_dir>/<rung name>.mp4`, video only, and writes the lines of `decoding.LINES` to its standard output.

    Args:
        raw: the source is a pipe with the frames of the plan, as `source_frames` gives them.
        vaapi: the device of an encoder that runs on one.
    """
    codec = plan.encoder(rungs[0].family).codec
    frames = (raw_frames if raw else source_frames)(source, plan, rungs[0].family)
    args = [*hardware.device(codec, vaapi), *outputs(frames, plan, rungs, out_dir, decoding.LINES)]
    if raw:
        return args
    return [*clock(plan), *args, *ffmpeg.aside(index for index in plan.clock if index != plan.stream)]


def outputs(
    frames: Any, plan: EncodingPlan, rungs: Sequence[RungPlan], out_dir: Path, first: Mapping[str, Any]
) -> list[str]:
    """The arguments from the input on, without what is global.

    Args:
        frames: the stream every rung is made of.
        first: more options of the first output.
    """
    encoder = plan.encoder(rungs[0].family)
    branches = frames.split() if len(rungs) > 1 else [frames]
    made = [
        graph.output(
            _scaled(branches[n], rung, encoder),
            str(out_dir / f"{rung.name}.mp4"),
            **({} if n else first),
            **options(plan, rung, encoder),
        )
        for n, rung in enumerate(rungs)
    ]
    args: list[str] = graph.merge_outputs(*made).get_args() if len(made) > 1 else made[0].get_args()
    return args


def _scaled(stream: Any, rung: RungPlan, encoder: VideoEncoder) -> Any:
    return apply(stream.filter("scale", rung.width, rung.height, flags="bicubic"), hardware.frames(encoder))


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
