"""VMAF of renditions: measured at the largest rung's size against the frames they were made from.

VMAF (https://github.com/Netflix/vmaf) runs from 0 to 100; 93 is where most viewers see no difference any more
(https://streaminglearningcenter.com, "Finding the just noticeable difference with Netflix VMAF").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg as graph
import numpy as np

from video_pipeline.base import Model
from video_pipeline.errors import CommandFailed
from video_pipeline.media import ffmpeg, samples
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.targets import Sample
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import Family, RungPlan

LARGE = 1440
"""Shorter side, pixels, above which the model for 4k screens applies; the other is for 1080p, from three times the
picture's height (https://github.com/Netflix/vmaf/blob/master/resource/doc/models.md)."""
KEPT = 3
"""Frames that go through together where not all are measured: one and its neighbours."""
SAME_TAGS = {"range": "tv", "color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709"}


class Vmaf(Model):
    """The scores of one rendition, 0 to 100."""

    frames: tuple[float, ...]
    """Of each frame that was measured, in order."""

    @property
    def mean(self) -> float:
        return float(np.mean(self.frames))

    @property
    def harmonic_mean(self) -> float:
        """As libvmaf has it: of the scores plus one, so that a frame of 0 does not hide all others."""
        return float(1 / np.mean(1 / (np.array(self.frames) + 1)) - 1)

    @property
    def low(self) -> float:
        """The first percentile."""
        return float(np.percentile(self.frames, 1))


def model(size: tuple[int, int]) -> str:
    """libvmaf's name of the model for renditions shown at this size."""
    return "vmaf_4k_v0.6.1" if min(size) > LARGE else "vmaf_v0.6.1"


def measure(
    tools: Tools,
    source: Path,
    plan: EncodingPlan,
    family: Family,
    renditions: Mapping[str, Path],
    spans: Sequence[Sample],
    scratch: Path,
    *,
    size: tuple[int, int] | None = None,
    unencoded: Mapping[str, tuple[int, int]] | None = None,
    every: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> dict[str, list[Vmaf]]:
    """Of each rendition (by name; all of one family) the scores in each span, from one decode of the source.

    Args:
        renditions: files with the frames of the spans, one span after the other, and no others.
        size: at which they are compared; by default that of the plan's largest rung.
        unencoded: names of sizes that the source's frames are scaled to, and measured as if they were renditions: the
            most that a rendition of that size can have.
        every: measure each such frame only.

    Raises:
        SourceError: the source or a rendition cannot be decoded.
    """
    streams = {name: graph.input(ffmpeg.name(path))["v:0"] for name, path in renditions.items()}
    reference = samples.frames_of(source, plan, family, spans)
    size, pixels = size or largest(plan.rungs), plan.encoder(family).pix_fmt
    whole, unencoded = reference.split(), unencoded or {}
    for n, (name, small) in enumerate(unencoded.items(), 1):
        streams[name] = whole[n].filter("scale", *small, flags="bicubic").filter("format", pixels)
    against = _shown(whole[0], size, plan.rate, pixels, every).split()
    options = {"model": f"version={model(size)}", "n_subsample": min(every, KEPT), "n_threads": 1, "log_fmt": "json"}
    compared = []
    for n, stream in enumerate(streams.values()):
        pair = [_shown(stream, size, plan.rate, pixels, every), against[n]]
        compared.append(graph.filter(pair, "libvmaf", log_path=f"{n}.json", **options))
    out = graph.output(*compared, "-", f="null", **{"c:v": "wrapped_avframe", "fps_mode": "passthrough"})
    args = samples.words(out.get_args(), source, plan, spans)
    length = sum(span.frames for span in spans) / plan.rate
    try:
        ffmpeg.ffmpeg(tools, args, duration=length, on_progress=on_progress, cwd=scratch)
    except CommandFailed as error:
        raise ffmpeg.undecodable("video", error) from None
    return {name: _split(_read(scratch / f"{n}.json", every), spans) for n, name in enumerate(streams)}


def largest(rungs: Sequence[RungPlan]) -> tuple[int, int]:
    """The size of the largest rung, at which all are compared."""
    return max(((rung.width, rung.height) for rung in rungs), key=lambda size: size[0] * size[1])


def _shown(stream: Any, size: tuple[int, int], rate: Fraction, pixels: str, every: int) -> Any:
    if every > KEPT:
        # Each measured frame between its neighbours, for VMAF looks at motion; the rest need not be scaled.
        stream = stream.filter("select", f"lt(mod(n+1,{every}),{KEPT})")
    stream = stream.filter("scale", *size, flags="bicubic").filter("format", pixels).filter("setsar", 1)
    # Where tags differ, ffmpeg would convert one side; whether tags are true is another question.
    return samples.renumbered(stream.filter("setparams", **SAME_TAGS), rate)


def _read(path: Path, every: int) -> dict[int, float]:
    apart = every / min(every, KEPT)
    frames = json.loads(path.read_text("utf-8"))["frames"]
    return {round(frame["frameNum"] * apart): frame["metrics"]["vmaf"] for frame in frames}


def _split(scores: Mapping[int, float], spans: Sequence[Sample]) -> list[Vmaf]:
    found, start = [], 0
    for span in spans:
        own = range(start, start + span.frames)
        found.append(Vmaf(frames=tuple(score for number, score in scores.items() if number in own)))
        start += span.frames
    return found


def share(tell: Callable[[float], None] | None, start: float, end: float) -> Callable[[float], None] | None:
    """What tells the progress of a part that lies between these shares of the whole."""
    return (lambda done: tell(start + done * (end - start))) if tell else None
