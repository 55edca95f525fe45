"""How long a job waits in a stack that has nothing else to do: from the queue to its first step, and step to step."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import time
from pathlib import Path

import dagster as dg

from video_pipeline import settings
from video_pipeline.execution.tags import JOB_TAG
from video_pipeline.intake.bull import bull
from video_pipeline.intake.submit import submit_job
from video_pipeline.media import tools
from video_pipeline.progress.follow import follow
from video_pipeline.services.stack import Stack

PAUSE_SECONDS = 1.0
"""Between two jobs, so that the sensor is waiting for the next one."""


def print_latency(home: Path, jobs: int) -> None:
    """Runs `jobs` tiny videos one after the other through a stack of its own."""
    os.environ["VIDEO_PIPELINE_HOME"] = str(home)
    home.mkdir(parents=True)
    clip = home / "tiny.mp4"
    argv = [str(tools.find().ffmpeg), "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x90:duration=1", str(clip)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    stack = Stack(settings.load(), lambda _: None)
    started = time.monotonic()
    stack.start()
    try:
        up = time.monotonic() - started
        waits, gaps, totals = _measure(stack, clip, jobs)
    finally:
        stack.stop()
    print(f"a running stack, {jobs} videos of 1 s one after the other; the first one left out")
    print(f"    up                          {up:7.2f} s")
    for name, values in (("enqueue → first step", waits), ("step → step", gaps), ("enqueue → completed", totals)):
        print(f"    {name:27} {statistics.median(values):7.2f} s median {max(values):7.2f} s worst")


def _measure(stack: Stack, clip: Path, jobs: int) -> tuple[list[float], list[float], list[float]]:
    waits, gaps, totals = [], [], []
    with dg.DagsterInstance.from_config(str(stack.settings.dagster_home)) as instance:
        for number in range(jobs + 1):
            time.sleep(PAUSE_SECONDS)
            job_id, video_id = submit_job(stack.settings, str(clip), preset="draft", video_id=f"latency-{number}")
            follow(stack.settings, job_id, video_id, None, each=stack.check)
            job = bull(stack.settings).job(job_id)
            assert job is not None
            (run,) = instance.get_runs(dg.RunsFilter(tags={JOB_TAG: job_id}))
            stats = instance.get_run_step_stats(run.run_id)
            steps = sorted((s.start_time, s.end_time) for s in stats if s.start_time and s.end_time)
            if number:  # the first video is slower: nothing is in memory yet
                enqueued = job.timestamp / 1000
                waits.append(steps[0][0] - enqueued)
                gaps += [max(0.0, later[0] - earlier[1]) for earlier, later in itertools.pairwise(steps)]
                totals.append(int(job.finishedOn or 0) / 1000 - enqueued)
    return waits, gaps, totals
