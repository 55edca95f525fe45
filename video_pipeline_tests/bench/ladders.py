"""Ways to choose the bit rates of the same rungs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streamer.bitrate_configuration import DEFAULT_VIDEO_RESOLUTIONS

from video_pipeline.media import parallel, per_title, probe, renditions
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.probing import Scores
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan
from video_pipeline.presets import Preset
from video_pipeline_tests.bench import bare
from video_pipeline_tests.bench.cost import Cost, timed

PINNED, FIXED, OURS = "Shaka's table", "fixed CRF", "per title"
HIGH_RATE = 30
"""Frames per second above which Shaka Streamer has other bit rates."""


@dataclass
class Ladder:
    name: str
    plan: EncodingPlan
    rates: Mapping[str, int] | None = None
    """Average bit rates by rung, bit/s; None for the CRF and the ceiling of the plan."""
    targets: dict[str, float] = field(default_factory=dict)
    """Mean VMAF by rung, as what follows."""
    predicted: dict[str, float] = field(default_factory=dict)
    search: Cost = field(default_factory=Cost)
    """What it took to find it."""

    def encode(self, tools: Tools, clip: Path, out: Path) -> Cost:
        """Makes `<out>/<rung>.mp4` of each rung of H.264: as the pipeline does, or, at average bit rates, in one piece,
        for an average is one of the whole."""
        rungs, cost = self.plan.family("h264"), Cost()
        about = probe.probe(tools, clip)
        at_once = parallel.at_once(rungs, about.video, parallel.host_cores(), parallel.host_memory() / 2)
        with timed(cost):
            if self.rates:
                bare.run(
                    bare.command(tools, clip, self.plan, out, rungs=rungs, rates=self.rates, threads=True),
                    nice=tools.nice,
                )
            else:
                renditions.make(tools, clip, about.timing, self.plan, rungs, out, at_once=at_once)
        return cost


def pinned(plan: EncodingPlan) -> Ladder:
    """What Shaka Streamer gives a rung of this size, whatever is in it
    (https://github.com/shaka-project/shaka-streamer/blob/main/streamer/bitrate_configuration.py); as there, in one pass
    and without a ceiling."""
    return Ladder(PINNED, plan, rates={rung.name: pinned_rate(plan, rung) for rung in plan.family("h264")})


def pinned_rate(plan: EncodingPlan, rung: RungPlan) -> int:
    """bit/s: of the smallest of its sizes with as many lines, for the frame rate where it tells them apart. (Below 720
    lines it does not, for there Shaka Streamer leaves out every second frame.)"""
    sizes = [size for size in DEFAULT_VIDEO_RESOLUTIONS.values() if size.max_height >= min(rung.width, rung.height)]
    lines = min(size.max_height for size in sizes)
    by_rate = sorted((size for size in sizes if size.max_height == lines), key=lambda size: size.max_frame_rate)
    size = by_rate[-1 if plan.rate > HIGH_RATE else 0]
    return next(_bits(rate) for codec, rate in size.bitrates.items() if codec.value == rung.family)


class _NoMemory:
    """Every probe is made."""

    def get(self, key: str) -> None:
        return None

    def put(self, key: str, scores: Scores) -> None:
        pass


def searched(tools: Tools, clip: Path, plan: EncodingPlan, preset: Preset, root: Path) -> Ladder | None:
    """As the pipeline chooses for this title; None if the preset has no target."""
    if preset.quality is None or preset.quality.target is None:
        return None
    cost = Cost()
    with timed(cost):
        chosen = per_title.search(tools, clip, plan, preset, emptied(root / "search"), _NoMemory())
    assert chosen.quality is not None
    expected = {rung.name: rung.vmaf for rung in chosen.quality.rungs}
    targets = dict(expected)
    # The largest one has a target of its own, unless the ceiling of its bits is in the way.
    top = chosen.rungs[0].name
    targets[top] = min(preset.quality.target, expected[top])
    return Ladder(OURS, chosen, targets=targets, predicted=expected, search=cost)


def _bits(text: str) -> int:
    factor = {"k": 1_000, "M": 1_000_000}.get(text[-1], 1)
    return round(float(text.rstrip("kM")) * factor)


def emptied(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory
