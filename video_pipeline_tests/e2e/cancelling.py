"""Every way to cancel a job, and what is left of it afterwards: nothing."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg
import psutil

from video_pipeline.execution.slots import workers
from video_pipeline.intake.bull import bull
from video_pipeline_tests.e2e import jobs
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.e2e.states import Held
from video_pipeline_tests.processes import wait_for

TERMINATE = """
mutation Terminate($ids: [String!]!, $policy: TerminateRunPolicy) {
  terminateRuns(runIds: $ids, terminatePolicy: $policy) {
    ... on TerminateRunsResult { terminateRunResults { __typename ... on TerminateRunFailure { message } } }
    ... on PythonError { message }
  }
}
"""


def by_command(held: Held) -> None:
    done = held.stack.command("cancel", held.video_id)
    assert done.returncode == 0, done.stderr


def by_job_id(held: Held) -> None:
    jobs.send(held.stack, jobs.CONTROL, "cancel", {"jobId": held.job_id}, {})


def by_video_id(held: Held) -> None:
    jobs.send(held.stack, jobs.CONTROL, "cancel", {"videoId": held.video_id}, {})


def by_terminate(held: Held) -> None:
    """As Dagster's UI does."""
    assert terminate(held, "SAFE_TERMINATE") == [{"__typename": "TerminateRunSuccess"}]


def by_forced_terminate(held: Held) -> None:
    """As Dagster's UI does when "force termination" is ticked; the only one it offers for a run that is starting."""
    assert terminate(held, "MARK_AS_CANCELED_IMMEDIATELY") == [{"__typename": "TerminateRunSuccess"}]


def terminate(held: Held, policy: str) -> list[dict[str, str]]:
    ids = [run.run_id for run in held.runs() if not run.is_finished]
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


# --- what is left


@dataclass
class Ended:
    """Seconds from the request until each was so; None if there never was one to end."""

    child: float | None = None
    canceled: float | None = None
    failed: float | None = None
    free: float | None = None


def cancelled(held: Held, way: Callable[[Held], None], seconds: float = 120) -> Ended:
    """Cancels a held job and waits until nothing of it is left: no child, no scratch, no slot, no request.

    What holds the job goes on after the request: a stopped daemon can do nothing.
    """
    children, ended = held.encoders(), Ended()
    began = time.monotonic()
    way(held)
    held.release()
    wait_for(lambda: _all_over(held, children, ended, time.monotonic() - began), seconds)
    return ended


def _all_over(held: Held, children: list[psutil.Process], ended: Ended, now: float) -> bool:
    queue, runs = bull(held.stack.settings), held.runs()
    dead = not any(_lives(child) for child in children)
    if children and dead and ended.child is None:
        ended.child = now
    over = all(run.is_finished for run in runs)
    if runs and runs[-1].status == dg.DagsterRunStatus.CANCELED and ended.canceled is None:
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
