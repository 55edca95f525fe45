"""`make bench-scenes BENCH_ARGS=--complexity`: how well what is known of scenes and GOPs foretells what they cost.

Natural clips are encoded at 240p and 720p as `web` has them. What a scene costs at 720p is compared with its
complexity; what a GOP costs, with the packets of the source, with the complexity of its scenes, as a search could have
it after an earlier run, and with the 240p rung itself. Then samples of a long video are chosen by each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tabulate import tabulate

from video_pipeline import presets
from video_pipeline.media import complexity, encode, ffmpeg, probe, scenes
from video_pipeline.media.plan import make_plan
from video_pipeline.media.samples import balanced
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe

RUNGS = SMALL, LARGE = ("h264-240p", "h264-720p")
SAMPLED = ((30, 6), (15, 4))
"""GOPs of a video, and how many of them are samples."""

Floats = npt.NDArray[np.float64]


class Costs(NamedTuple):
    scenes: Floats
    """Of each scene its complexity, and bytes per frame at 720p over the mean of the clip."""
    gops: Floats
    """Of each GOP, over the mean of the clip: source, scenes, 240p, 720p."""


def measure(tools: Tools, path: Path, scratch: Path) -> Costs | None:
    """None of a clip that has no 720p rung."""
    plan = make_plan(probe.probe(tools, path), "0" * 64, presets.load("web"))
    rungs = [rung for rung in plan.family("h264") if rung.name in RUNGS]
    if len(rungs) < len(RUNGS):
        return None
    ffmpeg.ffmpeg(tools, encode.command(path, plan, rungs, scratch))
    small, large = (_frames(tools, scratch / f"{name}.mp4", plan) for name in RUNGS)
    found = complexity.weighed(tools, scratch / f"{SMALL}.mp4", plan, scenes.detect(scratch / f"{SMALL}.mp4", plan))
    constant = np.concatenate([np.full(scene.end - scene.start, scene.complexity or 0) for scene in found])
    by_scene = [[scene.complexity or 0, large[scene.start : scene.end].mean() / large.mean()] for scene in found]
    starts = range(0, plan.frames, plan.gop)
    parts = [complexity.activity(tools, path, plan, plan.gop)]
    parts += [np.array([row[at : at + plan.gop].mean() for at in starts]) for row in (constant, small, large)]
    return Costs(np.array(by_scene), np.stack([part / max(part.mean(), 1e-9) for part in parts], 1))


def _frames(tools: Tools, path: Path, plan: Any) -> Floats:
    """Bytes of each."""
    packets = ffprobe.show(tools, path, "-show_entries", "packet=pts_time,size")["packets"]
    places = [round(float(packet["pts_time"]) * float(plan.rate)) for packet in packets]
    spent: Floats = np.bincount(places, [float(packet["size"]) for packet in packets], plan.frames).astype(float)
    return spent


def report(tools: Tools, media: Path, scratch: Path, words: tuple[str, ...]) -> None:
    clips = [path for path in sorted((media / "natural").iterdir()) if not words or any(w in path.name for w in words)]
    found = [costs for costs in (measure(tools, path, scratch) for path in clips) if costs]
    by_scene, gops = np.concatenate([one.scenes for one in found]), np.concatenate([one.gops for one in found])
    rows = [["complexity of a scene", "scene", len(by_scene), *_alike(by_scene.T[0], by_scene.T[1])]]
    for name, row in zip(("packets of the source", "complexity of its scenes", "240p rung"), gops.T, strict=False):
        rows.append([name, "GOP", len(gops), *_alike(row, gops.T[3])])
    headers = ("foretold by", "of a", "how many", "correlation with 720p", "of ranks")
    print(f"{len(found)} clips\n" + tabulate(rows, headers=headers, tablefmt="github"))
    for size, count in SAMPLED:
        off: dict[str, list[float]] = {}
        for at in range(len(gops) - size + 1):
            source, scene, _, cost = gops[at : at + size].T
            chosen = {
                "by the source": balanced(source, count),
                "by scenes": balanced(scene, count),
                "evenly": [int((n + 0.5) * size / count) for n in range(count)],
            }
            for name, places in chosen.items():
                off.setdefault(name, []).append(cost[places].mean() / cost.mean() - 1)
        if not off:
            continue
        worst = ", ".join(f"{name} {np.sqrt(np.mean(np.square(errors))):.1%}" for name, errors in off.items())
        print(f"bit rate of {count} of {size} GOPs chosen, off that of all (RMS): {worst}")


def _alike(one: Floats, other: Floats) -> tuple[str, str]:
    first, second = (np.argsort(np.argsort(values)) for values in (one, other))
    return f"{np.corrcoef(one, other)[0, 1]:.2f}", f"{np.corrcoef(first, second)[0, 1]:.2f}"
