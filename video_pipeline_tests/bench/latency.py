"""How long a job waits in a warm stack: from the queue to its first step, from its publication to the producer, and
what of its time is not spent in ffmpeg and its like. `make bench-latency` prints it, beside Dagster's launcher."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import dagster as dg

from video_pipeline import settings
from video_pipeline.execution.tags import JOB_TAG
from video_pipeline.intake.bull import bull
from video_pipeline.intake.submit import submit_job
from video_pipeline.media import tools
from video_pipeline.progress.follow import follow
from video_pipeline.services.stack import Stack
from video_pipeline.settings import PROJECT
from video_pipeline_tests.node.app import app

SLOTS = 2
WARM_UP = 2 * SLOTS
"""Jobs until each child has done one or two."""
PAUSE_SECONDS = 0.5
CHILDREN = ("ffmpeg", "ffprobe", "packager")


@dataclass
class Measured:
    """Seconds, one entry per job."""

    first_step: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    """From the flip of the pointer to the Node client's event."""
    whole: list[float] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)
    """Of the whole, without a child process."""


class Children:
    """Notes from when to when any ffmpeg, ffprobe or packager runs: each is a script that writes it down."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / "calls"
        directory.mkdir()
        real = tools.find()
        self.variables = {}
        for name in CHILDREN:
            script, program = directory / name, shlex.quote(str(getattr(real, name)))
            # bash reads its own clock, without another process. On TERM the child ends, and with it the script.
            log = f"echo $began $EPOCHREALTIME >> {shlex.quote(str(self._log))}"
            script.write_text(
                f'#!/bin/bash\ntrap : TERM\nbegan=$EPOCHREALTIME\n{program} "$@"\nstatus=$?\n{log}\nexit $status\n'
            )
            script.chmod(0o755)
            self.variables[f"{settings.PREFIX}{name.upper()}"] = str(script)

    def seconds(self, since: float, until: float) -> float:
        """In which at least one of them ran."""
        calls = (line.replace(",", ".").split() for line in self._log.read_text().splitlines())
        found, reached = 0.0, since
        for began, ended in sorted((float(a), min(float(b), until)) for a, b in calls):
            found += max(0.0, ended - max(began, reached))
            reached = max(reached, ended)
        return found


@click.command()
@click.option("--jobs", default=50, show_default=True)
@click.option("--seconds", default=5.0, show_default=True, help="Length of each video.")
@click.option("--default-launcher/--no-default-launcher", default=True, help="The same with Dagster's own beside it.")
@click.option("--title", default="warm Celery workers", hidden=True)
def main(jobs: int, seconds: float, default_launcher: bool, title: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        print_latency(Path(directory) / "home", jobs, seconds, title)
        if default_launcher:
            _beside(Path(directory) / "checkout", max(3, jobs // 5), seconds)


def _beside(checkout: Path, jobs: int, seconds: float) -> None:
    """The same in a copy of the project whose dagster.yaml leaves launcher and queue to Dagster."""
    tests = Path(__file__).parent.parent
    without = shutil.ignore_patterns("node_modules", "__pycache__")
    for package in (PROJECT / "video_pipeline", tests):
        shutil.copytree(package, checkout / package.name, ignore=without)
    (checkout / tests.name / "node" / "node_modules").symlink_to(tests / "node" / "node_modules")
    shutil.copy(PROJECT / "workspace.yaml", checkout)
    (checkout / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    argv = [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--no-default-launcher"]
    argv += ["--jobs", str(jobs), "--seconds", str(seconds), "--title", "Dagster's default launcher and queue"]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    subprocess.run(argv, cwd=checkout, env=environment, check=True, stdin=subprocess.DEVNULL)


def print_latency(home: Path, jobs: int, seconds: float = 1.0, title: str = "warm Celery workers") -> None:
    """Runs `jobs` videos one after the other through a stack of its own."""
    home.mkdir(parents=True)
    children = Children(home / "bin")
    os.environ.update({"VIDEO_PIPELINE_HOME": str(home), **children.variables})
    stack = Stack(settings.load(worker_slots=SLOTS), lambda _: None)
    began = time.monotonic()
    stack.start()
    try:
        up = time.monotonic() - began
        found = _measure(stack, home, jobs, seconds, children)
    finally:
        stack.stop()
    print(f"{title}: {jobs} videos of {seconds:g} s one after the other, {SLOTS} slots, {WARM_UP} before them left out")
    print(f"    {'up':30} {up:10.2f} s")
    for name, values in (
        ("enqueue → first step", found.first_step),
        ("step → step", found.steps),
        ("publish → completed at Node", found.told),
        ("enqueue → completed", found.whole),
        ("  outside child processes", found.outside),
    ):
        print(f"    {name:30} {_row(values)}", flush=True)


def _row(values: Sequence[float]) -> str:
    p95 = statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
    return f"p50 {statistics.median(values):6.2f} s   p95 {p95:6.2f} s   worst {max(values):6.2f} s"


def _measure(stack: Stack, directory: Path, jobs: int, seconds: float, children: Children) -> Measured:
    found, queue = Measured(), bull(stack.settings)
    with dg.DagsterInstance.from_config(str(stack.settings.dagster_home)) as instance, app(stack.settings) as node:
        for number in range(WARM_UP + jobs):
            # Neither in step with the sensor's ticks nor with the daemon's.
            time.sleep(PAUSE_SECONDS + (number * 0.37) % 1)
            clip = _clip(directory / f"{number}.mp4", seconds)
            job_id, video_id = submit_job(stack.settings, str(clip), preset="draft", video_id=f"latency-{number}")
            follow(stack.settings, job_id, video_id, None, each=stack.check)
            told = node.ended(job_id)["at"] / 1000
            job = queue.job(job_id)
            assert job is not None
            if number < WARM_UP:
                continue
            enqueued, completed = job.timestamp / 1000, int(job.finishedOn or 0) / 1000
            steps = _steps(instance, job_id)
            flipped = (stack.settings.store / "videos" / video_id / "current.json").stat().st_mtime
            found.first_step.append(steps[0][0] - enqueued)
            found.steps += [max(0.0, later[0] - earlier[1]) for earlier, later in itertools.pairwise(steps)]
            found.told.append(told - flipped)
            found.whole.append(completed - enqueued)
            found.outside.append(completed - enqueued - children.seconds(enqueued, completed))
    return found


def _clip(path: Path, seconds: float) -> Path:
    """Unlike any other by its comment, so that nothing of it is finished already."""
    source = ["-f", "lavfi", "-i", f"testsrc2=size=160x90:duration={seconds:g}", "-metadata", f"comment={path.stem}"]
    subprocess.run([str(tools.find().ffmpeg), "-v", "error", *source, str(path)], check=True)
    return path


def _steps(instance: dg.DagsterInstance, job_id: str) -> list[tuple[float, float]]:
    (run,) = instance.get_runs(dg.RunsFilter(tags={JOB_TAG: job_id}))
    stats = instance.get_run_step_stats(run.run_id)
    return sorted((s.start_time, s.end_time) for s in stats if s.start_time and s.end_time)


if __name__ == "__main__":
    main()
