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
from video_pipeline_tests.bench.pipeline import GATED, OTHERS, OURS, WAYS

TRAILER, SHORT = "natural/sintel_trailer_720p24_52s.mp4", "natural/bikes_640x272_10s.mp4"
CASES = ((TRAILER, "web"), (TRAILER, "premium"), (TRAILER, "draft"), (SHORT, "web"), (SHORT, "draft"))
LONG_CASES = ("web", "premium")
TARGETS: dict[tuple[str, str, str], tuple[float | None, float | None]] = {
    ("web", OURS, "bare"): (1.15, None),
    ("web", GATED, "bare"): (1.25, None),
    ("web", OURS, "per-rung"): (None, 0.70),
}
"""Preset, which of ours and which of the others: at most this for wall time and for CPU time."""


@click.command()
@click.option("--repeat", default=3, show_default=True, help="Runs of each side; the median counts.")
@click.option("--jobs", default=10, show_default=True, help="Jobs of the latency part; 0 leaves it out.")
@click.option("--clip", help="Measure this file only.")
@click.option("--preset", help="Only this one; with --clip, web by default.")
@click.option("--long", is_flag=True, help="One clip of five minutes, joined of the natural ones.")
@click.option(
    "--against",
    default=",".join(OTHERS),
    show_default=True,
    help="Separated by commas. Shaka Streamer only where x264's preset is its own, unless it alone is named.",
)
@click.option("--gate/--no-gate", default=True, help="With preset web, also with a floor of VMAF.")
def main(repeat: int, jobs: int, clip: str | None, preset: str | None, long: bool, against: str, gate: bool) -> None:
    wanted = against.split(",")
    if unknown := set(wanted) - set(OTHERS):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}; there are {', '.join(OTHERS)}", param_hint="--against")
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        pipeline.warm_up(root)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; median of {repeat} runs of each, in turn\n")
        for path, name in _cases(clip, preset, long):
            if not path.is_file():
                sys.exit(f"{path} is missing; set VIDEO_PIPELINE_MEDIA")
            same = {encoder.preset for encoder in pipeline.planned(path, name).encoders} == {shaka.PRESET}
            ways = [way for way in wanted if way != "shaka" or same or wanted == ["shaka"]]
            ways += [OURS, *([GATED] if gate and name == "web" and not pipeline.has_floor(name) else [])]
            _show(path, name, [pipeline.measure(path, name, root, ways) for _ in range(repeat)])
        if jobs:
            print_latency(root / "latency", jobs)


def _cases(clip: str | None, preset: str | None, long: bool) -> list[tuple[Path, str]]:
    if clip:
        return [(Path(clip), preset or "web")]
    media = settings.load().media
    if long:
        joined = clips.long_clip(media)
        return [(joined, name) for name in ([preset] if preset else LONG_CASES)]
    return [(media / name, own) for name, own in CASES if preset in (None, own)]


def _show(clip: Path, preset: str, measured: Sequence[dict[str, Cost]]) -> None:
    print(f"{clip.name}, preset {preset}")
    rows = []
    for way in measured[0]:
        costs = [turn[way] for turn in measured]
        wall, cpu = (statistics.median(values) for values in ([c.wall for c in costs], [c.cpu for c in costs]))
        rows.append([WAYS[way], f"{wall:.2f}", f"{cpu:.2f}", f"{max(cost.peak for cost in costs) / 1e6:.0f}"])
    _print(rows, ("", "wall s", "CPU s", "peak MB"))
    _print(_ratios(preset, measured), ("", "over", "wall", "CPU", "target", "met"))
    middle = sorted((turn[OURS] for turn in measured), key=lambda cost: cost.wall)[len(measured) // 2]
    for step, seconds in middle.steps.items():
        print(f"    {step:28} {seconds:7.2f} s {seconds / middle.wall:6.1%}")
    print(f"    {'between steps':28} {middle.between:7.2f} s {middle.between / middle.wall:6.1%}\n", flush=True)


def _ratios(preset: str, measured: Sequence[dict[str, Cost]]) -> list[list[str]]:
    """Taken within each turn: what else the machine does meets both sides."""
    rows = []
    for own in (way for way in (OURS, GATED) if way in measured[0]):
        for way in (way for way in measured[0] if way in OTHERS):
            wall = statistics.median(turn[own].wall / turn[way].wall for turn in measured)
            cpu = statistics.median(turn[own].cpu / turn[way].cpu for turn in measured)
            most_wall, most_cpu = TARGETS.get((preset, own, way), (None, None))
            limits = [("wall", wall, most_wall), ("CPU", cpu, most_cpu)]
            aims = [(f"{name} <= {most:.2f}", found <= most) for name, found, most in limits if most]
            met = ("yes" if all(ok for _, ok in aims) else "NO") if aims else ""
            rows.append([WAYS[own], WAYS[way], f"{wall:.2f}", f"{cpu:.2f}", ", ".join(aim for aim, _ in aims), met])
    return rows


def _print(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> None:
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True) + "\n")


if __name__ == "__main__":
    main()
