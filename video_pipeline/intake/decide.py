"""The reconciler's decision: a pure function of what is, without Redis, Dagster or clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

LOST_TWICE = 2
"""A run lost this often is the video's doing, and counts as a failed attempt."""

CANCELLED = "cancelled"


@dataclass(frozen=True)
class RunView:
    """The newest run of a claimed job."""

    run_id: str
    state: Literal["live", "cancelled", "failed", "lost", "succeeded"]
    """Lost: it failed because its worker was killed or told to stop, not by itself."""
    error_class: str = ""
    """Of the step that failed."""
    error: str = ""


@dataclass(frozen=True)
class HeldView:
    """A job we hold."""

    job_id: str
    run: RunView | None
    published: str | None
    """The release that was published and indexed for this job's request."""
    lost: int
    cancel: bool


@dataclass(frozen=True)
class Complete:
    job_id: str
    release_id: str


@dataclass(frozen=True)
class Fail:
    job_id: str
    reason: str
    """The error's class, a colon and its sentence; or "cancelled". It becomes BullMQ's failedReason."""
    final: bool


@dataclass(frozen=True)
class Launch:
    """Asks Dagster for the run of the current claim; asking again does nothing."""

    job_id: str


@dataclass(frozen=True)
class LaunchAnew:
    """The run was lost: a new claim number, and so a new run."""

    job_id: str


@dataclass(frozen=True)
class Terminate:
    job_id: str
    run_id: str


Action = Complete | Fail | Launch | LaunchAnew | Terminate


def decide(held: Sequence[HeldView]) -> list[Action]:
    """What to do now, at most one action per job; none while its run is live."""
    return [action for job in held if (action := _decide(job)) is not None]


def _decide(job: HeldView) -> Action | None:
    run = job.run
    live = run is not None and run.state == "live"
    if job.cancel:
        if live and run is not None:
            return Terminate(job.job_id, run.run_id)
        if job.published is None:
            return Fail(job.job_id, CANCELLED, final=True)
    if live:
        # A published release whose index row exists is done, but its run has a last event to write.
        return None
    if job.published is not None:
        # The truth is the pointer and the index, not a run's colour.
        return Complete(job.job_id, job.published)
    if run is None:
        return Launch(job.job_id)
    if run.state == "cancelled":
        return Fail(job.job_id, CANCELLED, final=True)
    if run.state == "succeeded":
        return Fail(job.job_id, f"transient: run {run.run_id} succeeded but published nothing", final=False)
    if run.state == "lost":
        if job.lost + 1 >= LOST_TWICE:
            return Fail(
                job.job_id, f"transient: the worker of run {run.run_id} was lost, for the second time", final=False
            )
        return LaunchAnew(job.job_id)
    return Fail(job.job_id, f"{run.error_class}: {run.error}", final=run.error_class == "permanent")
