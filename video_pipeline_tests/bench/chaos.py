"""`make chaos`: the worker is killed at random moments of an encode, one video each; every one is published once."""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
import psutil
from tabulate import tabulate

from video_pipeline_tests.bench.clips import make_clip
from video_pipeline_tests.e2e import jobs
from video_pipeline_tests.e2e.apart import Apart, apart
from video_pipeline_tests.processes import wait_for

PRESET = "web"
PATIENCE = 300.0


@dataclass
class Killed:
    """Times are seconds from the kill."""

    moment: float
    """How far the encode was, as a share of one that is left alone."""
    child: float
    """Until the encoder was dead."""
    recovered: float
    """Until the next run's first step."""
    published: float
    """Until the job was completed."""
    once: bool
    """One completed job at its first attempt, one release, one lost run and one good one."""


@click.command()
@click.option("--kills", default=10, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Of the moments.")
@click.option("--seconds", default=20.0, show_default=True, help="Length of each video.")
def main(kills: int, seed: int, seconds: float) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        with apart(root / "home", slots=1) as stack:
            alone = encode_seconds(stack, make_clip(root / "alone.mp4", seconds=seconds, size="960x540"))
            print(f"an encode that is left alone takes {alone:.1f} s", file=sys.stderr, flush=True)
            found = []
            for number in range(kills):
                # Its own length, or its checkpoints would be those of the one before.
                clip = make_clip(root / f"{number}.mp4", seconds=seconds + (number + 1) / 25, size="960x540")
                found.append(kill_once(stack, clip, f"chaos-{number}", chance.random() * alone, alone))
                print(f"{number + 1} of {kills}: {found[-1]}", file=sys.stderr, flush=True)
    show(found, alone)
    sys.exit(0 if all(one.once for one in found) else 1)


def show(found: list[Killed], alone: float) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; preset {PRESET}, an encode takes {alone:.1f} s")
    rows = [
        (n, f"{k.moment:.0%}", f"{k.child:.2f}", f"{k.recovered:.1f}", f"{k.published:.1f}", "yes" if k.once else "NO")
        for n, k in enumerate(found, 1)
    ]
    headers = ("kill", "encode was at", "encoder dead s", "next run's first step s", "completed s", "published once")
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))
    recovered = [one.recovered for one in found]
    good = sum(one.once for one in found)
    print(f"{len(found)} killed, {good} published once; recovery median {statistics.median(recovered):.1f} s, ", end="")
    print(f"worst {max(recovered):.1f} s")


def encode_seconds(stack: Apart, clip: Path) -> float:
    job_id = jobs.add(stack, clip, "alone", preset=PRESET)
    encoder = stack.encoding()
    began = time.monotonic()
    psutil.wait_procs([encoder])
    took = time.monotonic() - began
    assert jobs.ended(stack, job_id, PATIENCE) == "completed"
    return took


def kill_once(stack: Apart, clip: Path, video: str, after: float, alone: float) -> Killed:
    job_id = jobs.add(stack, clip, video, preset=PRESET)
    encoder = stack.encoding()
    began = time.monotonic()
    # The encoder may be quicker this time: then the kill meets its end.
    psutil.wait_procs([encoder], timeout=after)
    moment = (time.monotonic() - began) / alone
    killed = time.time()
    stack.kill_worker()
    stack.start_worker()
    psutil.wait_procs([encoder], timeout=10)
    child = time.time() - killed
    recovered = wait_for(lambda: first_step(stack, job_id), PATIENCE) - killed
    assert jobs.ended(stack, job_id, PATIENCE) == "completed"
    published = int(jobs.fields(stack, job_id)["finishedOn"]) / 1000 - killed
    wait_for(lambda: all(run.is_finished for run in jobs.runs(stack, job_id)))
    return Killed(moment, child, recovered, published, once(stack, job_id, video))


def first_step(stack: Apart, job_id: str) -> float | None:
    """When the second run began its first step."""
    runs = jobs.runs(stack, job_id)
    if len(runs) < 2:
        return None
    with stack.instance() as instance:
        began = [stats.start_time for stats in instance.get_run_step_stats(runs[1].run_id) if stats.start_time]
    return min(began, default=None)


def once(stack: Apart, job_id: str, video: str) -> bool:
    place = stack.settings.store / "videos" / video
    completed = [event["jobId"] for _, event in jobs.events(stack, "completed")].count(job_id)
    return (
        [run.status.value for run in jobs.runs(stack, job_id)] == ["FAILURE", "SUCCESS"]
        and (completed, jobs.fields(stack, job_id)["atm"]) == (1, "1")
        and len(os.listdir(place / "releases")) == 1
        and json.loads((place / "current.json").read_text())["sequence"] == 1
    )


if __name__ == "__main__":
    main()
