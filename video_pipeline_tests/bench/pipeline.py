"""One video through the pipeline, and through what people would use instead."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from video_pipeline import presets, settings
from video_pipeline.cli_process import run
from video_pipeline.home import prepare
from video_pipeline.media import probe, tools
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline_tests.bench import bare, ladders, shaka
from video_pipeline_tests.bench.cost import Cost, timed

OURS, GATED = "ours", "gated"
WAYS = {
    "bare": "one ffmpeg, all rungs",
    "per-rung": "one ffmpeg per rung",
    "shaka": "Shaka Streamer",
    OURS: "ours",
    GATED: "ours with a floor of VMAF",
}
OTHERS = [way for way in WAYS if way not in (OURS, GATED)]
FLOOR = 20
"""VMAF; it is measured, and no rendition worth measuring is below it."""


def warm_up(root: Path) -> None:
    """Imports everything once and reads the programs into the page cache."""
    programs = tools.find()
    clip = root / "warm.mp4"
    argv = [str(programs.ffmpeg), "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:duration=2", str(clip)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    ours(clip, "draft", root / "warm")


def planned(clip: Path, preset: str) -> EncodingPlan:
    """By the preset's table, without a search."""
    return make_plan(probe.probe(tools.find(), clip), "0" * 64, presets.load(preset))


def measure(clip: Path, preset: str, root: Path, ways: Sequence[str]) -> dict[str, Cost]:
    """Each way once, one after the other, each into a new directory that is removed afterwards."""
    programs, plan, out = tools.find(), planned(clip, preset), root / "out"
    if searched := ladders.searched(programs, clip, plan, presets.load(preset), root):
        plan = searched.plan  # the others get for nothing what ours must find
    costs, rates = {way: Cost() for way in ways}, {rung.name: rung.maxrate // 2 for rung in plan.rungs}
    if "bare" in ways:
        out.mkdir()
        argv = bare.command(programs, clip, plan, out, rungs=plan.rungs, sound=bare.heard(plan))
        with timed(costs["bare"]):
            bare.run(argv, nice=programs.nice)
        rates = {rung.name: bare.bit_rate(out / f"{rung.name}.mp4", plan) for rung in plan.rungs}
        shutil.rmtree(out)
    if OURS in ways:
        costs[OURS] = ours(clip, preset, root / "home")
    if "per-rung" in ways:
        out.mkdir()
        argvs = bare.per_rung(programs, clip, plan, out)
        with timed(costs["per-rung"]):
            for argv in argvs:
                bare.run(argv, nice=programs.nice)
        shutil.rmtree(out)
    if GATED in ways:
        costs[GATED] = gated(clip, preset, root)
    if "shaka" in ways:
        # As many bits as ours take, so that both encoders have as much to write.
        shaka.prepare(programs, clip, plan, rates, root / "shaka")
        with timed(costs["shaka"]):
            shaka.run(root / "shaka", out, programs.nice)
        shutil.rmtree(root / "shaka")
        shutil.rmtree(out)
    return costs


def has_floor(preset: str) -> bool:
    quality = presets.load(preset).quality
    return quality is not None and quality.floor is not None


def gated(clip: Path, preset: str, root: Path) -> Cost:
    """Ours with the same preset and a floor of VMAF, measured before it is published."""
    directory = ladders.emptied(root / "presets")
    (directory / "gated.yaml").write_text(f"extends: {preset}\nquality: {{floor: {FLOOR}}}\n")
    return ours(clip, "gated", root / "home", directory)


def ours(clip: Path, preset: str, home: Path, presets_dir: Path | None = None) -> Cost:
    """From the request to the published and indexed release, in a process that has everything imported."""
    os.environ["VIDEO_PIPELINE_HOME"] = str(home)
    os.environ["VIDEO_PIPELINE_PRESETS_DIR"] = str(presets_dir or "")
    configured = prepare(settings.load())
    with dg.DagsterInstance.from_config(str(configured.dagster_home)) as instance:
        instance.get_runs(limit=1)  # the storage of a running stack exists
    cost = Cost()
    with timed(cost, ourselves=True):
        run(configured, "bench", source=str(clip), preset=preset)
    with dg.DagsterInstance.from_config(str(configured.dagster_home)) as instance:
        (last,) = instance.get_runs(limit=1)
        for step in instance.get_run_step_stats(last.run_id):
            if step.start_time and step.end_time:
                cost.steps[step.step_key] = step.end_time - step.start_time
    shutil.rmtree(home)
    return cost
