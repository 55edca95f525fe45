"""Brings a job into a state and holds it there, however quick the stack is; and every way to cancel it."""

from __future__ import annotations

import asyncio
import json
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
from bullmq import Queue

from video_pipeline.execution.slots import workers
from video_pipeline.execution.tags import JOB_TAG
from video_pipeline.intake.bull import bull
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.processes import encoders, processes, wait_for

PRESET = "premium"
"""Slow: an encode of some seconds is always caught."""
FAR = {"type": "fixed", "delay": 600_000}
"""A backoff that nobody waits for."""
TERMINATE = """
mutation Terminate($ids: [String!]!, $policy: TerminateRunPolicy) {
  terminateRuns(runIds: $ids, terminatePolicy: $policy) {
    ... on TerminateRunsResult { terminateRunResults { __typename ... on TerminateRunFailure { message } } }
    ... on PythonError { message }
  }
}
"""


@dataclass
class Held:
    """A job in its state. What was stopped to hold it there goes on with `release`."""

    stack: RunningStack
    video_id: str
    job_id: str = ""
    stopped: list[psutil.Process] = field(default_factory=list)

    def submit(self, clip: Path) -> None:
        self.job_id = add(self.stack, clip, self.video_id, preset=PRESET)

    def stop(self, part: str) -> None:
        """SIGSTOP for a part of the stack and all its children."""
        main = psutil.Process(self.stack.addresses["children"][part])
        self.stopped += [main, *main.children(recursive=True)]
        for process in self.stopped:
            process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        for process in self.stopped:
            if process.is_running():
                process.send_signal(signal.SIGCONT)
        self.stopped.clear()

    @property
    def state(self) -> str:
        return bull(self.stack.settings).state(self.job_id)

    def encoders(self) -> list[psutil.Process]:
        return encoders(processes(self.stack.home))

    def runs(self, instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
        """The newest first."""
        return list(instance.get_runs(dg.RunsFilter(tags={JOB_TAG: self.job_id})))


def add(stack: RunningStack, clip: Path, video_id: str, *, preset: str = "draft", **options: Any) -> str:
    """A job as a producer of its own writes it; `options` are BullMQ's. Returns its id."""
    data = {"source": str(clip), "videoId": video_id, "preset": preset}
    return send(stack, "video-intake", "video", data, {"attempts": 3, "backoff": FAR, **options})


def send(stack: RunningStack, queue: str, name: str, data: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    async def added() -> str:
        there = Queue(queue, {"connection": stack.addresses["redisUrl"]})
        try:
            return str((await there.add(name, dict(data), dict(options))).id)
        finally:
            await there.close()

    return asyncio.run(added())


# --- states


@contextmanager
def waiting(stack: RunningStack, clip: Path, video_id: str) -> Iterator[Held]:
    """In the queue, which is paused."""
    held = Held(stack, video_id)
    bull(stack.settings).pause(True)
    try:
        held.submit(clip)
        wait_for(lambda: held.state in ("waiting", "paused"))
        yield held
    finally:
        bull(stack.settings).pause(False)


@contextmanager
def claimed(stack: RunningStack, clip: Path, video_id: str) -> Iterator[Held]:
    """Taken by a tick whose answer the daemon, which is stopped, has not read: there is no run."""
    held = Held(stack, video_id)
    try:
        wait_for(lambda: _stopped_in_a_tick(held))
        held.submit(clip)
        wait_for(lambda: held.job_id in bull(stack.settings).ledger.claims())
        yield held
    finally:
        held.release()


def _stopped_in_a_tick(held: Held) -> bool:
    """The daemon is stopped while the code server, in a tick, waits for a job."""
    if not _ticks(held.stack):
        return False
    held.stop("daemon")
    if _ticks(held.stack):
        return True
    held.release()
    return False


def _ticks(stack: RunningStack) -> bool:
    return any(client["cmd"] == "bzpopmin" for client in stack.redis.client_list())


@contextmanager
def starting(stack: RunningStack, clip: Path, video_id: str) -> Iterator[Held]:
    """Launched, but the worker is stopped and does not begin."""
    held = Held(stack, video_id)
    held.stop("worker")
    try:
        held.submit(clip)
        with stack.instance() as instance:
            wait_for(lambda: [r for r in held.runs(instance) if r.status == dg.DagsterRunStatus.STARTING], 30)
        yield held
    finally:
        held.release()


@contextmanager
def running(stack: RunningStack, clip: Path, video_id: str) -> Iterator[Held]:
    """Being encoded."""
    held = Held(stack, video_id)
    held.submit(clip)
    wait_for(held.encoders)
    yield held


@contextmanager
def retry_waiting(stack: RunningStack, clip: Path, video_id: str) -> Iterator[Held]:
    """Delayed after an attempt that failed: its encoder was killed, and again when the step was tried again."""
    held = Held(stack, video_id)
    held.submit(clip)
    kill_encoders(held.encoders, 2)
    wait_for(lambda: held.state == "delayed")
    yield held


STATES = {
    "waiting": waiting,
    "claimed": claimed,
    "starting": starting,
    "running": running,
    "retry-waiting": retry_waiting,
}


def kill_encoders(found: Callable[[], list[psutil.Process]], times: int) -> None:
    """Kills an encoder, and the next one that comes, and so on."""
    killed: set[int] = set()
    for _ in range(times):
        (encoder, *_) = wait_for(lambda: [one for one in found() if one.pid not in killed])
        killed.add(encoder.pid)
        encoder.kill()


# --- ways


def by_command(held: Held) -> None:
    done = held.stack.command("cancel", held.video_id)
    assert done.returncode == 0, done.stderr


def by_job_id(held: Held) -> None:
    send(held.stack, "video-intake-control", "cancel", {"jobId": held.job_id}, {})


def by_video_id(held: Held) -> None:
    send(held.stack, "video-intake-control", "cancel", {"videoId": held.video_id}, {})


def by_terminate(held: Held) -> None:
    """As Dagster's UI does."""
    assert terminate(held, "SAFE_TERMINATE") == [{"__typename": "TerminateRunSuccess"}]


def by_forced_terminate(held: Held) -> None:
    """As Dagster's UI does when "force termination" is ticked; the only one it offers for a run that is starting."""
    assert terminate(held, "MARK_AS_CANCELED_IMMEDIATELY") == [{"__typename": "TerminateRunSuccess"}]


def terminate(held: Held, policy: str) -> list[dict[str, str]]:
    with held.stack.instance() as instance:
        ids = [run.run_id for run in held.runs(instance) if not run.is_finished]
    body = json.dumps({"query": TERMINATE, "variables": {"ids": ids, "policy": policy}}).encode()
    request = urllib.request.Request(
        f"{held.stack.addresses['web']}/graphql", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: list[dict[str, str]] = json.load(answer)["data"]["terminateRuns"]["terminateRunResults"]
        return found


WAYS = {
    "cli": by_command,
    "jobId": by_job_id,
    "videoId": by_video_id,
    "terminate": by_terminate,
    "forced": by_forced_terminate,
}
WAYS_OF_RUNS = {"terminate": ("running",), "forced": ("starting", "running")}
"""The states in which there is a run that Dagster lets these ways stop; all other ways work in any."""


# --- outcome


@dataclass
class Ended:
    """Seconds from the request until each was so; None if there never was one to end."""

    child: float | None = None
    canceled: float | None = None
    failed: float | None = None
    free: float | None = None


def cancelled(held: Held, way: Callable[[Held], None], seconds: float = 60) -> Ended:
    """Cancels a held job and waits until nothing of it is left: no child, no scratch, no slot, no request.

    What holds the job goes on after the request: a stopped daemon can do nothing.
    """
    children, ended = held.encoders(), Ended()
    with held.stack.instance() as instance:
        began = time.monotonic()
        way(held)
        held.release()
        wait_for(lambda: _all_over(held, instance, children, ended, time.monotonic() - began), seconds)
    return ended


def _all_over(
    held: Held, instance: dg.DagsterInstance, children: list[psutil.Process], ended: Ended, now: float
) -> bool:
    queue, runs = bull(held.stack.settings), held.runs(instance)
    dead = not any(_lives(child) for child in children)
    if children and dead and ended.child is None:
        ended.child = now
    over = all(run.is_finished for run in runs)
    if runs and runs[0].status == dg.DagsterRunStatus.CANCELED and ended.canceled is None:
        ended.canceled = now
    failed = queue.state(held.job_id) == "failed"
    if failed and ended.failed is None:
        ended.failed = now
    acknowledged = held.job_id not in queue.ledger.cancels() and held.job_id not in queue.ledger.claims()
    free = dead and over and failed and acknowledged and idle(held.stack)
    if free:
        ended.free = now
    return free


def idle(stack: RunningStack) -> bool:
    """No worker executes anything, and no temporary file is left."""
    busy = any(worker.busy for worker in workers(stack.settings))
    return not busy and list(stack.settings.scratch.iterdir()) == []


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
