"""What someone would type instead: ffmpeg alone, with the settings of our plan."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ffmpeg as graph

from video_pipeline.media.encoders import options
from video_pipeline.media.graph import apply, clock, gridded
from video_pipeline.media.model import AudioPlan, EncodingPlan
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan

CONSTANT_QUALITY = frozenset(("crf", "maxrate", "bufsize"))


def command(
    tools: Tools,
    clip: Path,
    plan: EncodingPlan,
    out: Path,
    *,
    rungs: Sequence[RungPlan],
    sound: Sequence[AudioPlan] = (),
    rates: Mapping[str, int] | None = None,
    threads: bool = False,
) -> list[str]:
    """One ffmpeg that makes these rungs and tracks of sound from one decode, `<out>/<name>.mp4`.

    Args:
        rates: average bit rates by rung, bit/s, instead of the plan's CRF under a ceiling.
        threads: as the plan has them, for they shape the bits; else as many as ffmpeg likes, which is quickest.
    """
    # Families of 10 bits have filters of their own.
    alike: dict[tuple[str, ...], list[RungPlan]] = {}
    for rung in rungs:
        alike.setdefault(plan.filters_of(rung.family), []).append(rung)
    outputs = []
    for frames, (filters, own) in zip(_split(gridded(clip, plan), len(alike)), alike.items(), strict=True):
        branches = _split(apply(frames, filters), len(own))
        outputs += [
            _output(branch, plan, rung, out, rates, threads) for branch, rung in zip(branches, own, strict=True)
        ]
    if len(outputs) > 1:
        outputs = [graph.merge_outputs(*outputs)]
    args = [*clock(plan), *outputs[0].get_args()] if outputs else ["-i", str(clip)]
    for track in sound:
        args += ["-map", f"0:{track.stream}", "-c:a", "aac", "-b:a", str(track.bit_rate), "-ac", str(track.channels)]
        args += ["-ar", str(track.sample_rate), str(out / f"{track.name}.mp4")]
    return [str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", *args]


def _split(stream: Any, count: int) -> list[Any]:
    if count < 2:
        return [stream][:count]
    split = stream.split()
    return [split[n] for n in range(count)]


def _output(
    frames: Any, plan: EncodingPlan, rung: RungPlan, out: Path, rates: Mapping[str, int] | None, threads: bool
) -> Any:
    scaled = frames.filter("scale", rung.width, rung.height, flags="bicubic")
    encoder = plan.encoder(rung.family)
    scaled = scaled.filter("format", encoder.pix_fmt).filter("setsar", 1)
    asked = options(plan, rung, encoder)
    if not threads:
        asked.pop("threads", None)
    if rates:
        asked = {name: value for name, value in asked.items() if name not in CONSTANT_QUALITY}
        asked["b:v"] = rates[rung.name]
    return graph.output(scaled, str(out / f"{rung.name}.mp4"), **asked)


def per_rung(tools: Tools, clip: Path, plan: EncodingPlan, out: Path) -> list[list[str]]:
    """One ffmpeg for each rung, as many a script has it, and one for the sound."""
    commands = [command(tools, clip, plan, out, rungs=[rung]) for rung in plan.rungs]
    sound = heard(plan)
    return [*commands, command(tools, clip, plan, out, rungs=(), sound=sound)] if sound else commands


def heard(plan: EncodingPlan) -> list[AudioPlan]:
    """The tracks that are not silence of our own."""
    return [track for track in plan.audio if track.stream is not None]


def run(argv: Sequence[str], *, nice: int) -> None:
    """As willing to wait for others as our own children are."""
    quiet = {**os.environ, "SVT_LOG": "1"}  # SVT-AV1 hears neither ffmpeg nor its own options
    argv = ["nice", "-n", str(nice), *argv]
    subprocess.run(argv, check=True, env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def bit_rate(path: Path, plan: EncodingPlan) -> int:
    """bit/s, the container's overhead included."""
    return round(8 * os.path.getsize(path) / float(plan.duration))
