"""`make bench`: our time over one bare ffmpeg command that makes the same rungs, and where the rest goes."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

import click

from video_pipeline import settings
from video_pipeline_tests.bench import pipeline
from video_pipeline_tests.bench.latency import print_latency

CLIPS = ("natural/sintel_trailer_720p24_52s.mp4", "natural/bikes_640x272_10s.mp4")
CASES = ((CLIPS[0], "draft"), (CLIPS[0], "web"), (CLIPS[1], "draft"), (CLIPS[1], "web"))


@click.command()
@click.option("--repeat", default=3, show_default=True, help="Runs of each side; the median counts.")
@click.option("--jobs", default=10, show_default=True, help="Jobs of the latency part; 0 leaves it out.")
@click.option("--clip", help="Measure this file only.")
@click.option("--preset", default="web", show_default=True, help="With --clip.")
def main(repeat: int, jobs: int, clip: str | None, preset: str) -> None:
    media = settings.load().media
    cases = ((clip, preset),) if clip else CASES
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        pipeline.warm_up(root)
        print(f"{os.cpu_count()} cores; median of {repeat} runs of each side, taken in turn\n")
        print(
            f"{'clip':34} {'preset':7} {'bare s':>8} {'ours s':>8} {'wall':>6} {'CPU':>6}   wall and CPU: ours / bare"
        )
        for name, wanted in cases:
            path = Path(name) if clip else media / name
            if not path.is_file():
                sys.exit(f"{path} is missing; set VIDEO_PIPELINE_MEDIA")
            pairs = [pipeline.measure(path, wanted, root) for _ in range(repeat)]
            wall = statistics.median(ours.wall / bare.wall for bare, ours in pairs)
            cpu = statistics.median(ours.cpu / bare.cpu for bare, ours in pairs)
            bare_s = statistics.median(bare.wall for bare, _ in pairs)
            ours_s = statistics.median(ours.wall for _, ours in pairs)
            print(f"{path.name:34} {wanted:7} {bare_s:8.2f} {ours_s:8.2f} {wall:6.2f} {cpu:6.2f}")
            middle = sorted(pairs, key=lambda pair: pair[1].wall)[len(pairs) // 2][1]
            for step, seconds in middle.steps.items():
                print(f"    {step:28} {seconds:7.2f} s {seconds / middle.wall:6.1%}")
            print(f"    {'between steps':28} {middle.between:7.2f} s {middle.between / middle.wall:6.1%}\n", flush=True)
        if jobs:
            print_latency(root / "latency", jobs)


if __name__ == "__main__":
    main()
