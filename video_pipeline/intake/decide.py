"""The reconciler's decision: a pure function of what is, without Redis, Dagster or clock."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from video_pipeline.errors import ErrorClass

LOST_TWICE = 2
"""A run lost this often is the video's doing, and counts as a failed attempt."""

CANCELLED: Literal["cancelled"] = "cancelled"


@dataclass(frozen=True)
class RunView:
    """The run of a claimed job.

    requested: Dagster has its row and has not queued it yet, as when the daemon died between the two.
    live: it waits in Dagster's queue, starts, runs, or is being stopped.
    lost: it ended because its worker was killed; stopped: because its worker was told to end.
    """

    run_id: str
    state: Literal["requested", "live", "cancelled", "failed", "lost", "stopped", "succeeded"]
    error_class: ErrorClass | None = None
    """Of the step that failed."""
    error_code: str = ""
    error: str = ""


@dataclass(frozen=True)
class HeldView:
    """A job we hold."""

    job_id: str
    video_id: str
    order: int
    """Of its first claim: jobs of one video follow each other in it."""
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
    """Ends this attempt; BullMQ's backoff brings the job back unless it is `final` or was the last."""

    job_id: str
    error_class: ErrorClass
    code: str
    message: str
    final: bool
    run_id: str | None = None

    @property
    def reason(self) -> str:
        """BullMQ's failedReason: the error's class, a colon and its sentence; or "cancelled"."""
        return CANCELLED if self.error_class == CANCELLED else f"{self.error_class}: {self.message}"


@dataclass(frozen=True)
class Postpone:
    """Something around us is missing or down, which is never the video's fault: later again, no attempt counted."""

    job_id: str
    error_class: ErrorClass
    code: str
    message: str
    run_id: str | None = None

    @property
    def reason(self) -> str:
        return f"{self.error_class}: {self.message}"


@dataclass(frozen=True)
class Launch:
    """Asks Dagster for the run of the current claim; asking again does nothing."""

    job_id: str


@dataclass(frozen=True)
class LaunchAnew:
    """The run ended without a verdict: a new claim number, and so a new run."""

    job_id: str
    lost: int


@dataclass(frozen=True)
class Terminate:
    job_id: str
    run_id: str


Action = Complete | Fail | Postpone | Launch | LaunchAnew | Terminate
Ending = Complete | Fail | Postpone
"""Actions after which the job is no longer held."""


def decide(held: Sequence[HeldView]) -> list[Action]:
    """What to do now, at most one action per job.

    Jobs of one video take turns, since two runs of one partition would mix their files: one acts when all before it
    have ended.
    """
    actions: list[Action] = []
    by_video = itertools.groupby(sorted(held, key=lambda job: (job.video_id, job.order)), key=lambda job: job.video_id)
    for _, jobs in by_video:
        actions += _in_turn(jobs)
    order = {job.job_id: place for place, job in enumerate(held)}
    return sorted(actions, key=lambda action: order[action.job_id])


def _in_turn(jobs: Iterator[HeldView]) -> Iterator[Action]:
    waiting = False
    for job in jobs:
        live = job.run is not None and job.run.state == "live"
        if waiting and not live and not job.cancel:
            continue
        action = _decide(job)
        waiting = waiting or not isinstance(action, Ending)
        if action is not None:
            yield action


def _decide(job: HeldView) -> Action | None:
    run = job.run
    if run is not None and run.state in ("live", "requested"):
        if job.cancel:
            return Terminate(job.job_id, run.run_id)
        # A published release whose index row exists is done, but its run has a last event to write.
        return Launch(job.job_id) if run.state == "requested" else None
    if job.published is not None:
        # The truth is the pointer and the index, not a run's colour.
        return Complete(job.job_id, job.published)
    if job.cancel or (run is not None and run.state == "cancelled"):
        return Fail(job.job_id, CANCELLED, CANCELLED, CANCELLED, final=True, run_id=run.run_id if run else None)
    return Launch(job.job_id) if run is None else _after(job, run)


def _after(job: HeldView, run: RunView) -> Action:
    """Of a run that ended and published nothing."""
    if run.state == "stopped":
        return LaunchAnew(job.job_id, job.lost)
    if run.state == "lost" and job.lost + 1 < LOST_TWICE:
        return LaunchAnew(job.job_id, job.lost + 1)
    if run.state == "lost":
        message = f"the worker of run {run.run_id} was lost, for the second time"
        return Fail(job.job_id, "transient", "lost", message, final=False, run_id=run.run_id)
    if run.state == "succeeded":
        message = f"run {run.run_id} succeeded but published nothing"
        return Fail(job.job_id, "transient", "unpublished", message, final=False, run_id=run.run_id)
    if run.error_class == "dependency":
        return Postpone(job.job_id, run.error_class, run.error_code, run.error, run_id=run.run_id)
    final = run.error_class == "permanent"
    return Fail(job.job_id, run.error_class or "transient", run.error_code, run.error, final=final, run_id=run.run_id)
