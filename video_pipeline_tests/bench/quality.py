"""`make bench-quality`: what bit rates chosen for each title save, and what they are worth, by VMAF of our own command.

Over the natural clips of at least 720 lines, the same rungs three times: at the bit rates of Shaka Streamer's table, at
the preset's fixed CRF, and as searched for the title, in the pipeline's chunks. With `--search`, only what the search
costs. With `--bd-rate`, the encoders of presets beside one another.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from video_pipeline import presets, settings
from video_pipeline.media import tools
from video_pipeline.media.model import EncodingPlan
from video_pipeline_tests.bench import clips, ladders, pipeline, tables, vmaf
from video_pipeline_tests.bench.cost import Cost
from video_pipeline_tests.bench.encoders import compare
from video_pipeline_tests.bench.ladders import FIXED, Ladder
from video_pipeline_tests.bench.tables import Made, Measured

LEAST = 720
"""Lines of the clips' shorter side."""


@click.command()
@click.option("--preset", default="per-title", show_default=True)
@click.option("--clip", "words", multiple=True, help="Only clips with this word in their names; may be repeated.")
@click.option("--seconds", type=float, help="Only the beginning of each clip.")
@click.option("--long", is_flag=True, help="One clip of five minutes, joined of the natural ones.")
@click.option("--search", is_flag=True, help="Only what the search takes beside the encode.")
@click.option("--every", default=2, show_default=True, help="VMAF of each so many frames.")
@click.option(
    "--bd-rate", "others", multiple=True, help="Instead: this preset's encoders beside --preset's; repeatable."
)
def main(
    preset: str,
    words: Sequence[str],
    seconds: float | None,
    long: bool,
    search: bool,
    every: int,
    others: Sequence[str],
) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"VMAF of every {every}. frame at the largest rung's size, by a command of the bench's own\n")
    plans = list(_plans(preset, words, seconds, long))
    if not plans:
        sys.exit("no clip is large enough, or none has these words in its name")
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        if others:
            compare(plans, [preset, *others], root, every)
            return
        if search:
            tables.searches([cost_of_search(clip, plan, root) for clip, plan in plans])
            return
        found = []
        for clip, plan in plans:
            found.append(measure(clip, plan, root, every))
            tables.show(found[-1])
    tables.summary(found)


def _plans(preset: str, words: Sequence[str], seconds: float | None, long: bool) -> Iterator[tuple[Path, EncodingPlan]]:
    media = settings.load().media
    if not media.is_dir():
        sys.exit(f"{media} is missing; set VIDEO_PIPELINE_MEDIA")
    for path in [clips.long_clip(media)] if long else sorted((media / "natural").iterdir()):
        if words and not any(word in path.name for word in words):
            continue
        plan = pipeline.planned(path, preset)
        if min(plan.rungs[0].width, plan.rungs[0].height) < LEAST:
            continue
        if seconds:
            plan = plan.model_copy(update={"frames": min(plan.frames, round(seconds * plan.rate))})
        yield path, plan


def measure(clip: Path, plan: EncodingPlan, root: Path, every: int) -> Measured:
    programs = tools.find()
    size = plan.rungs[0].width, plan.rungs[0].height
    rungs: dict[str, dict[str, Made]] = {}
    encode: dict[str, Cost] = {}
    searched = ladders.searched(programs, clip, plan, presets.load(plan.preset), root)
    for ladder in filter(None, (ladders.pinned(plan), Ladder(FIXED, plan), searched)):
        out = ladders.emptied(root / "out")
        encode[ladder.name] = ladder.encode(programs, clip, out)
        rungs[ladder.name] = {}
        for rung in ladder.plan.family("h264"):
            path = out / f"{rung.name}.mp4"
            rungs[ladder.name][rung.name] = Made(
                bits=8 * path.stat().st_size,
                score=vmaf.score(programs, clip, plan, path, size, root, every),
                target=searched.targets.get(rung.name) if searched else None,
                predicted=ladder.predicted.get(rung.name),
            )
    return Measured(clip.name, plan, rungs, encode, searched.search if searched else Cost())


def cost_of_search(clip: Path, plan: EncodingPlan, root: Path) -> tuple[str, float, Cost, Cost]:
    """Name, seconds, the search and the encode that follows."""
    programs = tools.find()
    searched = ladders.searched(programs, clip, plan, presets.load(plan.preset), root)
    if searched is None:
        sys.exit(f"preset {plan.preset} has no target of quality")
    return (
        clip.name,
        float(plan.duration),
        searched.search,
        searched.encode(programs, clip, ladders.emptied(root / "out")),
    )


if __name__ == "__main__":
    main()
