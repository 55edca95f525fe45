"""`make bench`: our time over that of bare ffmpeg and of Shaka Streamer for the same rungs, and where the rest goes."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from tabulate import tabulate

from video_pipeline import settings
from video_pipeline_tests.bench import clips, pipeline, shaka
from video_pipeline_tests.bench.cost import Cost
from video_pipeline_tests.bench.latency import print_latency
from video_pipeline_tests.bench.pipeline import OURS, WAYS

TRAILER, SHORT = "natural/sintel_trailer_720p24_52s.mp4", "natural/bikes_640x272_10s.mp4"
CASES = ((TRAILER, "web"), (TRAILER, "premium"), (TRAILER, "draft"), (SHORT, "web"), (SHORT, "draft"))
LONG_CASES = ("web", "premium")
HEADERS = ("", "wall s", "CPU s", "peak MB", "wall: ours over it", "CPU: ours over it", "target")
TARGETS = {("web", "bare"): "wall <= 1.15", ("web", "per-rung"): "CPU <= 0.70"}


@click.command()
@click.option("--repeat", default=3, show_default=True, help="Runs of each side; the median counts.")
@click.option("--jobs", default=10, show_default=True, help="Jobs of the latency part; 0 leaves it out.")
@click.option("--clip", help="Measure this file only.")
@click.option("--preset", default="web", show_default=True, help="With --clip.")
@click.option(
    "--long", is_flag=True, help="The natural clips joined to one of five minutes, instead of the short ones."
)
@click.option(
    "--against",
    default=",".join(WAYS),
    show_default=True,
    help="Separated by commas. Shaka Streamer only where x264's preset is its own, unless it alone is named.",
)
def main(repeat: int, jobs: int, clip: str | None, preset: str, long: bool, against: str) -> None:
    wanted = against.split(",")
    if unknown := set(wanted) - set(WAYS):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}; there are {', '.join(WAYS)}", param_hint="--against")
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        pipeline.warm_up(root)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; median of {repeat} runs of each, in turn\n")
        for path, name in _cases(clip, preset, long):
            if not path.is_file():
                sys.exit(f"{path} is missing; set VIDEO_PIPELINE_MEDIA")
            plan = pipeline.planned(path, name)
            same = {encoder.preset for encoder in plan.encoders} == {shaka.PRESET}
            ways = [way for way in wanted if way != "shaka" or same or wanted == ["shaka"]]
            _show(path, name, [pipeline.measure(path, name, root, ways) for _ in range(repeat)])
        if jobs:
            print_latency(root / "latency", jobs)


def _cases(clip: str | None, preset: str, long: bool) -> list[tuple[Path, str]]:
    if clip:
        return [(Path(clip), preset)]
    media = settings.load().media
    if long:
        joined = clips.long_clip(media)
        return [(joined, name) for name in LONG_CASES]
    return [(media / name, preset) for name, preset in CASES]


def _show(clip: Path, preset: str, measured: Sequence[dict[str, Cost]]) -> None:
    """Ratios are taken within each turn: what else the machine does meets both sides."""
    rows: list[list[object]] = []
    for way in measured[0]:
        costs = [turn[way] for turn in measured]
        row: list[object] = [
            OURS if way == OURS else WAYS[way],
            f"{statistics.median(cost.wall for cost in costs):.2f}",
            f"{statistics.median(cost.cpu for cost in costs):.2f}",
            f"{max(cost.peak for cost in costs) / 1e6:.0f}",
        ]
        if way != OURS:
            row.append(f"{statistics.median(turn[OURS].wall / turn[way].wall for turn in measured):.2f}")
            row.append(f"{statistics.median(turn[OURS].cpu / turn[way].cpu for turn in measured):.2f}")
            row.append(TARGETS.get((preset, way), ""))
        rows.append(row)
    print(f"{clip.name}, preset {preset}")
    print(tabulate(rows, headers=HEADERS, tablefmt="github", disable_numparse=True))
    middle = sorted((turn[OURS] for turn in measured), key=lambda cost: cost.wall)[len(measured) // 2]
    for step, seconds in middle.steps.items():
        print(f"    {step:28} {seconds:7.2f} s {seconds / middle.wall:6.1%}")
    print(f"    {'between steps':28} {middle.between:7.2f} s {middle.between / middle.wall:6.1%}\n", flush=True)


if __name__ == "__main__":
    main()
