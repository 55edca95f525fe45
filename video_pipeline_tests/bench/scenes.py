"""`make bench-scenes`: which scene detector finds the boundaries of clips whose boundaries are known.

Real clips, looked at frame by frame (`scene_truth`), and parts of clips of one shot joined in known ways, each as the
smallest rung of `web`. Precision, recall and F1 of every detector at its best setting on the real clips; then of that
setting chosen on all clips but one and judged on that one, over all of them; and on the joined clips, on which nothing
was chosen.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import scenedetect
from tabulate import tabulate

from video_pipeline import presets, settings
from video_pipeline.media import encode, ffmpeg, probe, scenes, transitions
from video_pipeline.media import tools as tools_module
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests.bench import scene_complexity
from video_pipeline_tests.media import scene_joins
from video_pipeline_tests.media.scene_truth import TRUTH, Score, Transition, judge

NAMES = ("precision", "recall", "F1")


@dataclass
class Clip:
    truth: Sequence[Transition]
    rate: float
    frames: list[Any]
    small: Any
    changes: list[float]
    """What ContentDetector, and AdaptiveDetector upon it, makes of each frame: the same at every setting."""


@dataclass
class Cost:
    length: float = 0
    detection: float = 0
    """CPU seconds of the pipeline's own."""
    encode: float = 0
    """Seconds of one ffmpeg with all rungs of `web`."""


Detect = Callable[[Clip], list[int]]


def library(make: Callable[..., Any], **keys: Any) -> Detect:
    """A detector as PySceneDetect has it, with our shortest scene."""
    return lambda clip: run(make(**keys, min_scene_len=least(clip)), clip)


def with_fades(make: Callable[..., Any], **keys: Any) -> Detect:
    """And with fades of ThresholdDetector."""
    cuts, fades = library(make, **keys), library(scenedetect.ThresholdDetector)

    def detect(clip: Clip) -> list[int]:
        kept = [0]
        for cut in sorted({*cuts(clip), *fades(clip)}):
            if cut - kept[-1] >= least(clip):
                kept.append(cut)
        return kept[1:]

    return detect


def verified(make: Callable[..., Any], **keys: Any) -> Detect:
    """Ours: cuts proposed by a detector, verified, with gradual transitions."""

    def detect(clip: Clip) -> list[int]:
        cuts = run(make(**keys, min_scene_len=1), clip)
        return [one.frame for one in transitions.find(clip.small, cuts, clip.rate, least(clip))]

    return detect


def least(clip: Clip) -> int:
    return max(1, round(scenes.MIN_SECONDS * clip.rate))


def run(detector: Any, clip: Clip) -> list[int]:
    found: list[int] = []
    times = [scenedetect.FrameTimecode(n, clip.rate) for n in range(len(clip.frames))]
    if isinstance(detector, scenedetect.ContentDetector):
        detector._calculate_frame_score = lambda at, _: clip.changes[at.frame_num]
    for at, frame in zip(times, clip.frames, strict=True):
        found += [cut.frame_num for cut in detector.process_frame(at, frame)]
    found += [cut.frame_num for cut in detector.post_process(times[-1])]
    return sorted({cut for cut in found if cut > 0})


def grid(wrap: Callable[..., Detect], make: Callable[..., Any], **values: Sequence[float]) -> dict[str, Detect]:
    """Setting to detector."""
    chosen = (dict(zip(values, one, strict=True)) for one in itertools.product(*values.values()))
    return {", ".join(f"{value:g}" for value in keys.values()): wrap(make, **keys) for keys in chosen}


ADAPTIVE, CONTENT = scenedetect.AdaptiveDetector, scenedetect.ContentDetector
DETECTORS = {
    "Adaptive": grid(library, ADAPTIVE, adaptive_threshold=(2, 2.5, 3, 3.5, 4), min_content_val=(10, 15, 20)),
    "Content": grid(library, CONTENT, threshold=(15, 20, 27, 34, 40)),
    "Hash": grid(library, scenedetect.HashDetector, threshold=(0.25, 0.3, 0.35, 0.395, 0.45)),
    "Histogram": grid(library, scenedetect.HistogramDetector, threshold=(0.05, 0.1, 0.2, 0.3)),
    "Threshold": grid(library, scenedetect.ThresholdDetector, threshold=(4, 8, 12, 20)),
    "Adaptive + Threshold": grid(with_fades, ADAPTIVE, adaptive_threshold=(2, 3, 4), min_content_val=(10, 15, 20)),
    "Content, verified": grid(verified, CONTENT, threshold=(8, 12, 16, 20, 27)),
    "Adaptive, verified": grid(verified, ADAPTIVE, adaptive_threshold=(1.5, 2, 2.5, 3), min_content_val=(6, 8, 10, 15)),
}
Found = dict[str, dict[str, list[Score]]]
"""By detector and setting, of each clip."""


def load(tools: Tools, path: Path, truth: Sequence[Transition], scratch: Path, cost: Cost, timed: bool) -> Clip:
    plan = make_plan(probe.probe(tools, path), "0" * 64, presets.load("web"))
    rungs = plan.family(plan.encoders[0].family)
    before = time.monotonic()
    ffmpeg.ffmpeg(tools, encode.command(path, plan, rungs if timed else rungs[-1:], scratch))
    cost.encode += time.monotonic() - before
    cost.length += float(plan.duration)
    rung = scratch / f"{rungs[-1].name}.mp4"
    before = time.process_time()
    scenes.detect(rung, plan)
    cost.detection += time.process_time() - before
    opened, frames = cv2.VideoCapture(str(rung)), []
    while (read := opened.read())[0]:
        frames.append(read[1])
    detector = CONTENT()
    times = (scenedetect.FrameTimecode(n, float(plan.rate)) for n in range(len(frames)))
    changes = [detector._calculate_frame_score(at, frame) for at, frame in zip(times, frames, strict=True)]
    return Clip(truth, float(plan.rate), frames, np.stack([scenes.small(frame) for frame in frames]), changes)


def add(found: Found, clip: Clip) -> None:
    for name, choices in DETECTORS.items():
        for key, detect in choices.items():
            found.setdefault(name, {}).setdefault(key, []).append(judge(clip.truth, detect(clip), clip.rate))


def total(scores: Iterable[Score]) -> Score:
    return sum(scores, Score())


def best(scores: dict[str, list[Score]], but: int | None = None) -> str:
    """The setting that is best on all clips, or all but one."""
    return max(scores, key=lambda key: total(one for n, one in enumerate(scores[key]) if n != but).f1)


@click.command()
@click.option("--cost", is_flag=True, help="Encode all rungs, to say what share of that the detection takes.")
@click.option("--complexity", is_flag=True, help="Instead: what complexity foretells of natural clips.")
@click.argument("words", nargs=-1)
def main(cost: bool, complexity: bool, words: tuple[str, ...]) -> None:
    """Detectors and their settings on clips with known boundaries. WORDS: parts of names of clips, for --complexity."""
    tools, media = tools_module.find(), settings.load().media
    if complexity:
        with tempfile.TemporaryDirectory() as name:
            scene_complexity.report(tools, media, Path(name), words)
        return
    spent, real, joined = Cost(), Found(), Found()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for path, truth in TRUTH.items():
            add(real, load(tools, media / path, truth, scratch, spent, cost))
        for join in scene_joins.ALL:
            made = scene_joins.make(tools, media, join, scratch)
            add(joined, load(tools, made, join.truth, scratch, Cost(), False))
    kinds = [one.kind for truth in TRUTH.values() for one in truth]
    print(f"{len(TRUTH)} real clips: " + ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))))
    print(f"{len(scene_joins.ALL)} joined: {sum(len(join.truth) for join in scene_joins.ALL)} boundaries\n")
    rows = []
    for detector, scores in real.items():
        key = best(scores)
        out = total(scores[best(scores, n)][n] for n in range(len(TRUTH)))
        rows.append([detector, key, *total(scores[key]).figures, out.figures[2], *total(joined[detector][key]).figures])
    headers = ["detector", "best setting", *NAMES, "F1, one left out", *(f"joined: {name}" for name in NAMES)]
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))
    ours = joined["Adaptive, verified"][f"{scenes.RATIO:g}, {scenes.CONTENT:g}"]
    for join, score in zip(scene_joins.ALL, ours, strict=True):
        print(f"ours, {join.name}: {' '.join(score.figures)}")
    print(f"\n{spent.detection:.1f} CPU s for {spent.length:.0f} s of video", end="")
    print(f", {spent.detection / spent.encode:.1%} of the {spent.encode:.0f} s of its encode" if cost else "")


if __name__ == "__main__":
    main()
