"""Encoders of several presets beside one another, by BD-rate: for each clip the largest rung at four qualities."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from video_pipeline.media import tools
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.video_plan import RungPlan, VideoEncoder
from video_pipeline_tests.bench import bare, pipeline, vmaf
from video_pipeline_tests.bench.bd_rate import Point, bd_rate
from video_pipeline_tests.bench.cost import Cost, timed
from video_pipeline_tests.bench.ladders import emptied

STEPS = (-3, 2, 7, 12)
"""Added to a rung's CRF: from hardly a difference to a plain one."""
LARGER = {"vp9": 2, "av1": 2}
"""Their CRF goes to 63, and a step of it does less."""
NO_CEILING = 100_000_000
"""bit/s: a ceiling would cut off the best. SVT-AV1 takes no larger one."""


def compare(plans: Sequence[tuple[Path, EncodingPlan]], presets: Sequence[str], root: Path, every: int) -> None:
    """Prints each encoder's BD-rate and CPU time over the first preset's H.264."""
    rows, all_over = [], dict[str, list[tuple[float, float]]]()
    for clip, first in plans:
        curves: dict[str, tuple[list[Point], Cost]] = {}
        known: list[VideoEncoder] = []
        for preset in presets:
            plan = pipeline.planned(clip, preset).model_copy(update={"frames": first.frames})
            for encoder in plan.encoders:
                if encoder in known:
                    continue
                known.append(encoder)
                name = f"{preset} {encoder.family}"
                rung = plan.family(encoder.family)[0]
                curves[name] = curve(clip, plan, rung, root, every)
                print(f"{clip.name} {name}: {[(round(r / 1000), round(q, 1)) for r, q in curves[name][0]]}", flush=True)
        anchor, anchor_cost = curves[f"{presets[0]} h264"]
        for name, (points, cost) in list(curves.items())[1:]:
            saved, slower = bd_rate(anchor, points), cost.cpu / anchor_cost.cpu
            rows.append([clip.name, name, "none in common" if saved is None else f"{saved:+.1%}", f"{slower:.2f}"])
            if saved is not None:
                all_over.setdefault(name, []).append((saved, slower))
    for name, found in all_over.items():
        saved, slower = (statistics.mean(values) for values in zip(*found, strict=True))
        rows.append([f"mean of {len(found)}", name, f"{saved:+.1%}", f"{slower:.2f}"])
    over = f"over {presets[0]} h264"
    print(
        tabulate(rows, headers=["clip", "", f"BD-rate {over}", f"CPU {over}"], tablefmt="github", disable_numparse=True)
    )


def curve(clip: Path, plan: EncodingPlan, rung: RungPlan, root: Path, every: int) -> tuple[list[Point], Cost]:
    """Bit rates and mean VMAF, and what the encodes took."""
    programs, cost, points = tools.find(), Cost(), list[Point]()
    for step in STEPS:
        out = emptied(root / "out")
        own = {"crf": rung.crf + step * LARGER.get(rung.family, 1), "maxrate": NO_CEILING, "bufsize": NO_CEILING}
        asked = rung.model_copy(update=own)
        took = Cost()
        with timed(took):
            bare.run(bare.command(programs, clip, plan, out, rungs=[asked], threads=True), nice=programs.nice)
        cost.cpu += took.cpu
        made = out / f"{rung.name}.mp4"
        score = vmaf.score(programs, clip, plan, made, (rung.width, rung.height), root, every)
        points.append((bare.bit_rate(made, plan), score.mean))
    return points, cost
