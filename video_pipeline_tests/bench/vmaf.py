"""VMAF of a rendition, by a command of its own that shares nothing with the pipeline's: the source at its own rate and
in its own colours, which is the right reference for plain clips (constant rate, progressive, SDR, from picture 0)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.tools import Tools

TAGS = "setparams=range=limited:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
"""Of both: where one has none, ffmpeg would convert it to the other's, from colours it guesses."""


@dataclass(frozen=True)
class Score:
    mean: float
    harmonic: float
    low: float
    """First percentile."""

    @classmethod
    def of(cls, frames: Sequence[float]) -> Score:
        scores = np.array(frames)
        # Of the scores plus one, as libvmaf has it, for a score may be 0.
        harmonic = 1 / np.mean(1 / (scores + 1)) - 1
        return cls(float(scores.mean()), float(harmonic), float(np.percentile(scores, 1)))

    def __str__(self) -> str:
        return f"{self.mean:.1f} {self.harmonic:.1f} {self.low:.1f}"


def score(
    tools: Tools, source: Path, plan: EncodingPlan, rendition: Path, size: tuple[int, int], scratch: Path, every: int
) -> Score:
    """Of every so many frames, at this size in pixels.

    Both are scaled by the same bicubic filter and matched by number; the model is that for 4k screens above 1440 lines.
    """
    width, height = size
    rate = f"{plan.rate.numerator}/{plan.rate.denominator}"
    tick = f"{plan.rate.denominator}/{plan.rate.numerator}"
    shown = f"{TAGS},scale={width}:{height}:flags=bicubic,format=yuv420p,setsar=1,settb={tick},setpts=N"
    reference = f"[1:{plan.stream}]setpts=PTS-STARTPTS,fps={rate},trim=end_frame={plan.frames},{shown}[r]"
    log = scratch / "vmaf.json"
    model = "vmaf_4k_v0.6.1" if min(size) > 1440 else "vmaf_v0.6.1"
    compared = f"libvmaf=model=version={model}:n_threads={os.cpu_count()}:n_subsample={every}:log_fmt=json"
    graph = f"[0:v]{shown}[d];{reference};[d][r]{compared}:log_path={log.name}:shortest=1"
    argv = ["nice", "-n", str(tools.nice), str(tools.ffmpeg), "-v", "error", "-nostdin", "-noautorotate"]
    argv += ["-i", str(rendition.absolute()), "-noautorotate", "-i", str(source.absolute())]
    argv += ["-lavfi", graph, "-f", "null", "-"]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, cwd=scratch)
    found = json.loads(log.read_text("utf-8"))["frames"]
    # One that a rendition lacks, or has too many, would hide behind a good mean.
    counted = [frame["frameNum"] for frame in found]
    assert counted == list(range(0, plan.frames, every)), f"{len(counted)} of {plan.frames} frames were compared"
    return Score.of([frame["metrics"]["vmaf"] for frame in found])
