"""`make bench-search`: what the search for CRFs promises, beside what every frame of the encodes then measures.

With `--sampling` instead: how far samples of one long encode are off the whole of it, over all minutes in it.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt
from tabulate import tabulate

from video_pipeline import presets, settings
from video_pipeline.media import complexity, encode, ffmpeg, per_title, probe, samples, tools, vmaf
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.probing import Scores
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import Family

CLIPS = ("dog_720p2997_10s.mp4", "scenes_720p2997_24s.mp4", "croatia_1080p25_5.5Mbps_8s.mp4")
WITHIN = 1.5


@dataclass
class Cost:
    cpu: float = 0


@contextmanager
def children() -> Iterator[Cost]:
    """CPU seconds of the programs that were run."""
    cost, before = Cost(), os.times()
    yield cost
    after = os.times()
    cost.cpu = after.children_user + after.children_system - before.children_user - before.children_system


class Forgetful:
    """A memory without any."""

    def get(self, key: str) -> Scores | None:
        return None

    def put(self, key: str, scores: Scores) -> None:
        pass


def searched(programs: Tools, source: Path, preset: str, every: int, scratch: Path) -> tuple[int, int]:
    """Prints a clip's lines; returns how many rungs there are and how many are within 1.5 of what was expected."""
    wanted = presets.load(preset)
    plan = make_plan(probe.probe(programs, source), "0" * 64, wanted)
    with children() as search:
        found = per_title.search(programs, source, plan, wanted, scratch, Forgetful())
    assert found.quality is not None
    assert found.quality.target is not None, f"preset {preset} has no target"
    measured: dict[str, vmaf.Vmaf] = {}
    files: dict[str, Path] = {}
    with children() as encoding:
        for encoder in found.encoders:
            rungs = found.family(encoder.family)
            ffmpeg.ffmpeg(programs, encode.command(source, found, rungs, scratch))
            files |= {rung.name: scratch / f"{rung.name}.mp4" for rung in rungs}
    with children() as measuring:
        for encoder in found.encoders:
            own = {rung.name: files[rung.name] for rung in found.family(encoder.family)}
            whole, size = samples.whole(found), found.quality.size
            scores = vmaf.measure(programs, source, found, encoder.family, own, whole, scratch, size=size, every=every)
            measured |= {name: score for name, (score,) in scores.items()}
    sampled = float(sum(sample.frames for sample in found.quality.samples) / found.rate)
    print(
        f"{source.name}: {float(found.duration):.0f} s, {len(found.quality.samples)} samples of {sampled:.0f} s in all"
    )
    print(
        f"CPU: search {search.cpu:.1f} s, encode {encoding.cpu:.1f} s, share {search.cpu / encoding.cpu:.0%}, "
        f"measuring all {measuring.cpu:.1f} s"
    )
    rows = []
    for rung in found.quality.rungs:
        score = measured[rung.name]
        rate = files[rung.name].stat().st_size * 8 / float(found.duration)
        first = rung.name == found.family(_family(found, rung.name))[0].name
        rows.append(
            {
                "rung": rung.name,
                "CRF": rung.crf,
                "target": found.quality.target if first else None,
                "predicted": round(rung.vmaf, 2),
                "measured": round(score.mean, 2),
                "off": round(score.mean - rung.vmaf, 2),
                "harmonic": round(score.harmonic_mean, 2),
                "1 %": round(score.low, 1),
                "kbit/s predicted": round(rung.bit_rate / 1000),
                "kbit/s": round(rate / 1000),
            }
        )
    print(tabulate(rows, headers="keys"))
    for left_out in found.quality.left_out:
        print(f"{left_out.name} left out: {left_out.why}")
    print(flush=True)
    return len(rows), sum(abs(measured[rung.name].mean - rung.vmaf) <= WITHIN for rung in found.quality.rungs)


def _family(plan: EncodingPlan, name: str) -> Family:
    return next(rung.family for rung in plan.rungs if rung.name == name)


def sampling(programs: Tools, source: Path, scratch: Path) -> None:
    """Encodes the whole once, measures every frame, and takes samples of that in every minute of it."""
    draft = presets.load("draft")
    plan = make_plan(probe.probe(programs, source), "0" * 64, draft)
    rungs = [rung.model_copy(update={"crf": 26.0}) for rung in plan.rungs[:2]]
    ffmpeg.ffmpeg(programs, encode.command(source, plan, rungs, scratch))
    files = {rung.name: scratch / f"{rung.name}.mp4" for rung in rungs}
    whole = vmaf.measure(programs, source, plan, "h264", files, samples.whole(plan), scratch)
    frames = {name: np.array(scores[0].frames) for name, scores in whole.items()}
    print(f"{source.name}: " + ", ".join(f"{name} VMAF {scores.mean():.2f}" for name, scores in frames.items()))
    rows = []
    for window, share, total, every in itertools.product((60, 150), (0.5, 1), (6, 8, 12, 16, 20), (1, 4, 8, 16)):
        unit = round(plan.gop * share)
        off = np.abs(_errors(programs, source, plan, frames, unit, window, total, every))
        if len(off):
            rows.append(
                {
                    "of s": window,
                    "samples": round(total * plan.rate / unit),
                    "each s": round(float(unit / plan.rate), 1),
                    "every": every,
                    "off (RMS)": round(float(np.sqrt((off**2).mean())), 2),
                    "most": round(float(off.max()), 2),
                    "within 1.5": f"{(off <= WITHIN).mean():.0%}",
                }
            )
    print(tabulate(rows, headers="keys"))


def _errors(
    programs: Tools,
    source: Path,
    plan: EncodingPlan,
    frames: dict[str, npt.NDArray[np.float64]],
    unit: int,
    window: int,
    total: int,
    every: int,
) -> npt.NDArray[np.float64]:
    """Of windows that begin all over the video, which goes on at its start."""
    hard = complexity.activity(programs, source, plan, unit)[: plan.frames // unit]
    length, count = round(window * plan.rate / unit), round(total * plan.rate / unit)
    found = []
    for start in range(0, len(hard), 3) if count <= length <= len(hard) + 1 else ():
        own = np.arange(start, start + min(length, len(hard))) % len(hard)
        chosen = own[samples.balanced(hard[own], count)]
        for scores in frames.values():
            parts = scores[: len(hard) * unit].reshape(len(hard), unit)
            found.append(parts[chosen].reshape(-1)[::every].mean() - parts[own].mean())
    return np.array(found)


@click.command()
@click.option("--clip", "clips", multiple=True, help="Measure these files only.")
@click.option("--preset", default="per-title", show_default=True)
@click.option("--every", default=1, show_default=True, help="Measure each such frame of the encodes only.")
@click.option("--sampling", "only_sampling", is_flag=True, help="Print the error of samples instead.")
def main(clips: tuple[str, ...], preset: str, every: int, only_sampling: bool) -> None:
    natural = settings.load().media / "natural"
    paths = [Path(clip) for clip in clips] or [natural / name for name in CLIPS]
    rungs = good = 0
    programs = tools.find(nice=0)
    for path in paths:
        if not path.is_file():
            sys.exit(f"{path} is missing; set VIDEO_PIPELINE_MEDIA")
        with tempfile.TemporaryDirectory() as directory:
            if only_sampling:
                sampling(programs, path, Path(directory))
                continue
            count, within = searched(programs, path, preset, every, Path(directory))
            rungs, good = rungs + count, good + within
    if rungs:
        print(f"{good} of {rungs} rungs within {WITHIN} VMAF of what was expected")


if __name__ == "__main__":
    main()
