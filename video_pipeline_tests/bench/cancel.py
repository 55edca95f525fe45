"""`make bench-cancel`: a job is cancelled in every state and in every way; how long until nothing of it is left."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import psutil
from tabulate import tabulate

from video_pipeline.intake.bull import bull
from video_pipeline_tests.bench.clips import make_clip
from video_pipeline_tests.e2e.apart import apart
from video_pipeline_tests.e2e.cancelling import WAYS, WAYS_OF_RUNS, Ended, by_command, cancelled, idle
from video_pipeline_tests.e2e.conftest import up
from video_pipeline_tests.e2e.states import STATES, Held, running
from video_pipeline_tests.processes import wait_for

HEADERS = ("state", "way", "child dead", "run CANCELED", "job failed", "slot free")
SLOTS = {"VIDEO_PIPELINE_WORKER_SLOTS": "1"}


@click.command()
@click.option("--restarts/--no-restarts", default=True, help="Also with a part that is killed after the request.")
def main(restarts: bool) -> None:
    rows: list[list[str]] = []
    try:
        _measure(rows, restarts)
    finally:
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; seconds from the request")
        print("cli: with the start of the command; claimed: the daemon was stopped until the request was made")
        print(tabulate(rows, headers=HEADERS, tablefmt="github", disable_numparse=True))


def _measure(rows: list[list[str]], restarts: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        clip = make_clip(root / "long.mp4", seconds=60, size="960x540")
        with up(root / "home", **SLOTS) as stack:
            for state, hold in STATES.items():
                for way, cancel in WAYS.items():
                    print(f"{state}, {way}", file=sys.stderr, flush=True)
                    if state not in WAYS_OF_RUNS.get(way, STATES):
                        rows.append([state, way, *["no run"] * 4])
                        continue
                    with hold(stack, clip, f"{state}-{way.lower()}") as held:
                        rows.append([state, way, *row(cancelled(held, cancel))])
        for name, function in RESTARTS.items() if restarts else ():
            print(name, file=sys.stderr, flush=True)
            rows.append([name, "cli", *row(function(root, clip))])


def row(ended: Ended) -> list[str]:
    return ["-" if one is None else f"{one:.1f}" for one in (ended.child, ended.canceled, ended.failed, ended.free)]


def worker_killed(root: Path, clip: Path) -> Ended:
    """By itself: the rest of the stack goes on, and a supervisor starts another worker."""
    with apart(root / "worker-killed") as stack, running(stack, clip, "worker-killed") as held:

        def request(held: Held) -> None:
            held.stop("code-server")  # so that nobody acts on the request before
            by_command(held)
            assert held.job_id in bull(stack.settings).ledger.cancels()
            stack.kill_worker()
            stack.start_worker()

        return cancelled(held, request, 120)


def stack_killed(part: str) -> Callable[[Path, Path], Ended]:
    """A part of `up` dies, hence all of it, and it is started again."""

    def run(root: Path, clip: Path) -> Ended:
        home, ended = root / f"{part}-killed-in-up", Ended()
        with up(home, **SLOTS) as stack, running(stack, clip, "killed") as held:
            children = held.encoders()
            held.stop("code-server")
            began = time.monotonic()
            by_command(held)
            assert held.job_id in bull(stack.settings).ledger.cancels()
            for pid in {stack.addresses["children"][part], stack.addresses["children"]["code-server"]}:
                os.kill(pid, signal.SIGKILL)
            psutil.wait_procs(children)
            ended.child = time.monotonic() - began
            stack.process.wait(60)
        with up(home, **SLOTS) as stack:
            held.stack = stack
            wait_for(lambda: [run.status.value for run in held.runs()] == ["CANCELED"])
            ended.canceled = time.monotonic() - began
            wait_for(lambda: held.state == "failed")
            ended.failed = time.monotonic() - began
            wait_for(lambda: idle(stack) and not bull(stack.settings).ledger.cancels())
            ended.free = time.monotonic() - began
        return ended

    return run


RESTARTS: dict[str, Callable[[Path, Path], Ended]] = {
    "running, worker killed, started anew": worker_killed,
    "running, worker killed, `up` again": stack_killed("worker"),
    "running, daemon killed, `up` again": stack_killed("daemon"),
}


if __name__ == "__main__":
    main()
