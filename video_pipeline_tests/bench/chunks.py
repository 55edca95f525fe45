"""`make bench-chunks`: our encode in chunks over one bare ffmpeg on as many cores: frames per second and memory."""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from tabulate import tabulate

from video_pipeline import settings
from video_pipeline.media import parallel, probe, renditions, tools
from video_pipeline.media.chunks import chunks
from video_pipeline.media.model import EncodingPlan
from video_pipeline_tests.bench import bare, clips, pipeline
from video_pipeline_tests.bench.__main__ import TRAILER
from video_pipeline_tests.bench.cost import Cost, timed
from video_pipeline_tests.bench.ladders import emptied

HEADERS = ("cores", "bare frames/s", "ours frames/s", "ours over bare", "CPU", "bare MB", "ours MB", "target")
TARGET = ">= 0.90"


@click.command()
@click.option("--repeat", default=3, show_default=True, help="Runs of each side, in turn; the median counts.")
@click.option("--clip", help="Instead of the trailer.")
@click.option("--preset", default="web", show_default=True)
@click.option("--long", is_flag=True, help="One clip of five minutes, joined of the natural ones.")
def main(repeat: int, clip: str | None, preset: str, long: bool) -> None:
    media = settings.load().media
    path = Path(clip) if clip else clips.long_clip(media) if long else media / TRAILER
    if not path.is_file():
        sys.exit(f"{path} is missing; set VIDEO_PIPELINE_MEDIA")
    plan = pipeline.planned(path, preset)
    cores = sorted(os.sched_getaffinity(0))
    counts = sorted({1, 2, len(cores)} & set(range(1, len(cores) + 1)))
    print(f"{len(cores)} cores, load {os.getloadavg()[0]:.1f}; median of {repeat} runs of each side, in turn")
    print(f"{path.name}, preset {preset}: {plan.frames} frames, {len(plan.rungs)} rungs, {len(chunks(plan))} chunks")
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        for count in counts:
            with pinned(cores[:count]):
                turns = [turn(path, plan, count, Path(directory)) for _ in range(repeat)]
            rows.append(row(plan, count, turns))
    print(tabulate(rows, headers=HEADERS, tablefmt="github", disable_numparse=True))


@contextlib.contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """This process and the children it starts; with fewer cores than the host has."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def turn(clip: Path, plan: EncodingPlan, cores: int, root: Path) -> tuple[Cost, Cost]:
    """Bare ffmpeg, then ours: the pictures alone."""
    programs, theirs, ours = tools.find(), Cost(), Cost()
    argv = bare.command(programs, clip, plan, emptied(root / "bare"), rungs=plan.rungs)
    with timed(theirs):
        bare.run(argv, nice=programs.nice)
    about = probe.probe(programs, clip)
    out = emptied(root / "ours")
    with timed(ours):
        for encoder in plan.encoders:
            rungs = plan.family(encoder.family)
            # As a worker with one slot on a host of so many cores.
            at_once = parallel.at_once(rungs, about.video, cores, parallel.host_memory() / 2)
            renditions.make(programs, clip, about.timing, plan, rungs, out, at_once=at_once)
    return theirs, ours


def row(plan: EncodingPlan, cores: int, turns: Sequence[tuple[Cost, Cost]]) -> list[str]:
    def middle(side: int) -> float:
        return statistics.median(plan.frames / one[side].wall for one in turns)

    return [
        str(cores),
        f"{middle(0):.1f}",
        f"{middle(1):.1f}",
        f"{statistics.median(bare.wall / ours.wall for bare, ours in turns):.2f}",
        f"{statistics.median(ours.cpu / bare.cpu for bare, ours in turns):.2f}",
        *(f"{max(one[side].peak for one in turns) / 1e6:.0f}" for side in (0, 1)),
        TARGET,
    ]


if __name__ == "__main__":
    main()
