"""One video through the pipeline and through one bare ffmpeg command."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from video_pipeline import presets, settings
from video_pipeline.cli_process import run
from video_pipeline.home import prepare
from video_pipeline.media import encode, probe, tools
from video_pipeline.media.plan import make_plan


@dataclass
class Cost:
    wall: float = 0.0
    """s"""
    cpu: float = 0.0
    """s, of this process and its children."""
    steps: dict[str, float] = field(default_factory=dict)
    """Wall time of each step, s."""

    @property
    def between(self) -> float:
        return self.wall - sum(self.steps.values())


@contextlib.contextmanager
def timed(cost: Cost) -> Iterator[None]:
    before, start = os.times(), time.perf_counter()
    yield
    after = os.times()
    cost.wall = time.perf_counter() - start
    cost.cpu = sum(after[:4]) - sum(before[:4])


def warm_up(root: Path) -> None:
    """Imports everything once and reads the programs into the page cache."""
    programs = tools.find()
    clip = root / "warm.mp4"
    argv = [str(programs.ffmpeg), "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:duration=2", str(clip)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    ours(clip, "draft", root / "warm")


def measure(clip: Path, preset: str, root: Path) -> tuple[Cost, Cost]:
    """Bare ffmpeg, then ours, each into a new directory that is removed afterwards."""
    return bare(clip, preset, root / "bare"), ours(clip, preset, root / "ours")


def bare(clip: Path, preset: str, out: Path) -> Cost:
    """What someone would type: one decode, all rungs, the sound; the same settings as ours."""
    programs = tools.find()
    plan = make_plan(probe.probe(programs, clip), "0" * 64, presets.load(preset))
    out.mkdir()
    argv = [str(programs.ffmpeg), "-v", "error", "-y", *encode.command(clip, plan, plan.rungs, out)]
    for track in plan.audio:
        audio = ["-map", f"0:{track.stream}", "-c:a", "aac", "-b:a", str(track.bit_rate), "-ac", str(track.channels)]
        argv += [*audio, "-ar", str(track.sample_rate), str(out / f"{track.name}.mp4")]
    cost = Cost()
    with timed(cost):
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    shutil.rmtree(out)
    return cost


def ours(clip: Path, preset: str, home: Path) -> Cost:
    """From the request to the published and indexed release, in a process that has everything imported."""
    os.environ["VIDEO_PIPELINE_HOME"] = str(home)
    configured = prepare(settings.load())
    with dg.DagsterInstance.from_config(str(configured.dagster_home)) as instance:
        instance.get_runs(limit=1)  # the storage of a running stack exists
    cost = Cost()
    with timed(cost):
        run(configured, "bench", source=str(clip), preset=preset)
    with dg.DagsterInstance.from_config(str(configured.dagster_home)) as instance:
        (last,) = instance.get_runs(limit=1)
        for step in instance.get_run_step_stats(last.run_id):
            if step.start_time and step.end_time:
                cost.steps[step.step_key] = step.end_time - step.start_time
    shutil.rmtree(home)
    return cost
