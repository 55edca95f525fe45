"""Brings a job into a state and holds it there, however quick the stack is."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import psutil

from video_pipeline.intake.bull import bull
from video_pipeline_tests.e2e import jobs
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.processes import encoders, processes, wait_for

PRESET = "premium"
"""Slow: an encode of some seconds is always caught."""


@dataclass
class Held:
    """A job in its state. What was stopped to hold it there goes on with `release`."""

    stack: RunningStack
    video_id: str
    job_id: str = ""
    stopped: list[psutil.Process] = field(default_factory=list)

    def submit(self, clip: Path) -> None:
        self.job_id = jobs.add(self.stack, clip, self.video_id, preset=PRESET)

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
        return jobs.state(self.stack, self.job_id)

    def encoders(self) -> list[psutil.Process]:
        return encoders(processes(self.stack.home))

    def runs(self) -> list[dg.DagsterRun]:
        return jobs.runs(self.stack, self.job_id)


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
        wait_for(lambda: [run.status for run in held.runs()] == [dg.DagsterRunStatus.STARTING])
        yield held
    finally:
        held.release()


@contextmanager
def running(stack: RunningStack, clip: Path, video_id: str) -> Iterator[Held]:
    """Being encoded."""
    held = Held(stack, video_id)
    held.submit(clip)
    wait_for(held.encoders, jobs.PATIENCE)
    yield held


@contextmanager
def retry_waiting(stack: RunningStack, clip: Path, video_id: str) -> Iterator[Held]:
    """Delayed after an attempt that failed: its encoder was killed, and again when the step was tried again."""
    held = Held(stack, video_id)
    held.submit(clip)
    kill_encoders(held.encoders, lambda: held.state == "delayed")
    yield held


STATES = {
    "waiting": waiting,
    "claimed": claimed,
    "starting": starting,
    "running": running,
    "retry-waiting": retry_waiting,
}


def kill_encoders(found: Callable[[], list[psutil.Process]], until: Callable[[], bool]) -> None:
    """Kills every encoder there is until that is so. Of two that run side by side, one may begin when the other is dead
    and the step has not yet failed, so they are not counted."""

    def over() -> bool:
        for encoder in found():
            with suppress(psutil.NoSuchProcess):
                encoder.kill()
        return until()

    wait_for(over, jobs.PATIENCE)
