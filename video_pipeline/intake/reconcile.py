"""One tick of the reconciler: looks at queue, runs and index, and acts on the difference. Every effect can be
repeated, so a tick that dies at any line is repaired by the next."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping

import redis
from bullmq import Job as BullJob
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from video_pipeline.errors import ConflictError, EntryError, PermanentError, PipelineError, ServiceDown, classify
from video_pipeline.execution.tags import JOB_TAG
from video_pipeline.intake import runs as looking
from video_pipeline.intake.accept import accept
from video_pipeline.intake.active import Active, Held
from video_pipeline.intake.control import Control
from video_pipeline.intake.decide import (
    CANCELLED,
    Action,
    Ending,
    Fail,
    HeldView,
    Launch,
    LaunchAnew,
    Postpone,
    Terminate,
    decide,
)
from video_pipeline.intake.ledger import Claim
from video_pipeline.intake.room import Room, room
from video_pipeline.intake.runs import Runs
from video_pipeline.intake.settle import Settle, ending_of, published
from video_pipeline.intake.wanted import Wanted, run_key, wanted
from video_pipeline.stores.requests import Requests

logger = logging.getLogger(__name__)
POLL_SECONDS = 4.0
"""A tick's patience. Dagster's limit is 60 s; other sensors wait for this one."""
CLAIM = tuple[BullJob, Claim]


class Reconciler:
    """One tick's worth of it; make a new one for each.

    Attributes:
        why_idle: why nothing was taken from the queue, if there is a reason.
    """

    def __init__(
        self,
        active: Active,
        control: Control,
        requests: Requests,
        instance: DagsterInstance,
        *,
        keep: Callable[[], None] = lambda: None,
    ) -> None:
        """`keep` renews the lease and raises if it is lost; it is called before every effect."""
        self._active, self._control, self._keep = active, control, keep
        self._ledger, self._settings = active.ledger, active.bull.settings
        self._requests, self._instance = requests, instance
        self._settle = Settle(active, requests)
        self.why_idle = ""

    def tick(self) -> list[Wanted]:
        """Settles, cancels and claims until there is a run to start, or the tick's time is over."""
        deadline = time.monotonic() + POLL_SECONDS
        while True:
            found, space = self.work(deadline)
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            self._active.wait(left, for_jobs=space.free > 0)

    def work(self, deadline: float = math.inf) -> tuple[list[Wanted], Room]:
        """Acts until there is nothing to do but wait; returns the runs that are wanted, and the room that is left."""
        found, space = self._look()
        while time.monotonic() < deadline and self._take(space):
            found, space = self._look()
        return found, space

    def _look(self) -> tuple[list[Wanted], Room]:
        """Acts once on every job we hold."""
        self._keep()
        self._control.answer()
        self._take_cancelled()
        held = self._active.held()
        claims = {one.job_id: (one.job, one.claim) for one in held if one.claim is not None}
        runs = looking.look(self._instance, self._ledger.epoch, [self._key(*claim) for claim in claims.values()])
        cancels = self._ledger.cancels()
        for one in held:
            if one.claim is None and (claim := self._accept(one, runs, one.job_id in cancels)) is not None:
                claims[one.job_id] = (one.job, claim)
        keys = {job_id: self._key(*claim) for job_id, claim in claims.items()}
        orphans = looking.orphans(runs, keys)
        for run in orphans:
            self._keep()
            self._end_orphan(run, keys)
        views = [view for job_id, claim in claims.items() if (view := self._view(*claim, runs, job_id in cancels))]
        found: list[Wanted] = []
        for action in decide(views):
            self._keep()
            found += self._act(*claims[action.job_id], action, runs)
            if isinstance(action, Ending):
                del claims[action.job_id]
        return found, self._room(claims, runs.others + len(orphans))

    def _key(self, job: BullJob, claim: Claim) -> str:
        return run_key(self._ledger.epoch, str(job.id), claim)

    def _room(self, claims: Mapping[str, CLAIM], others: int) -> Room:
        """Jobs that wait for another one of their video take no slot."""
        turns = {claim.video_id: claim.bulk for _, claim in claims.values()}
        space = room(self._settings, len(turns) + others, sum(turns.values()))
        self.why_idle = "the queue is paused" if self._active.bull.paused() else space.why
        return space

    # --- taking

    def _take(self, space: Room) -> int:
        self._keep()
        try:
            return len(self._active.take(space.free, space.bulk)) if space.free else 0
        except EntryError as error:
            logger.warning("the next job: %s", error)
            return 0

    def _take_cancelled(self) -> None:
        """Waiting jobs that shall be cancelled need no slot; requests about ended jobs are dropped."""
        for job_id in self._ledger.cancels():
            self._keep()
            if self._active.take_this(job_id):
                continue
            if self._active.bull.ended(job_id):
                self._ledger.forget_cancel(job_id)

    def _accept(self, one: Held, runs: Runs, cancel: bool) -> Claim | None:
        """None if the job could not be taken in, and has ended or was put off."""
        self._keep()
        if cancel:
            self._end(one.job, None, Fail(one.job_id, CANCELLED, CANCELLED, CANCELLED, final=True))
            return None
        try:
            return accept(self._active, self._requests, one.job, runs.unfinished)
        except (ServiceDown, ConflictError, redis.RedisError):
            raise  # nothing can be done for any job
        except PermanentError as error:
            self._end(one.job, None, ending_of(one.job_id, error))
        except Exception as error:
            # It has no claim yet: nothing is lost if it comes again.
            logger.warning("job %s: %s", one.job_id, error, exc_info=True)
            ours = classify(error)
            self._end(one.job, None, Postpone(one.job_id, ours.error_class, ours.code, str(ours)))
        return None

    # --- acting

    def _view(self, job: BullJob, claim: Claim, runs: Runs, cancel: bool) -> HeldView | None:
        """None if it cannot be looked at now; one job's trouble is its own."""
        run = runs.of_claims.get(self._key(job, claim))
        seen = looking.view(self._instance, run) if run else None
        try:
            # While it runs it does not matter.
            live = seen is not None and seen.state == "live"
            release = None if live else published(self._settings.store, self._requests, claim)
        except (ServiceDown, redis.RedisError):
            raise
        except PipelineError as error:
            self._keep()
            self._end(job, claim, ending_of(str(job.id), error))
            return None
        return HeldView(str(job.id), claim.video_id, claim.order, seen, release, claim.lost, cancel)

    def _act(self, job: BullJob, claim: Claim, action: Action, runs: Runs) -> list[Wanted]:
        if isinstance(action, Launch):
            return [wanted(self._ledger.epoch, job, claim)]
        if isinstance(action, LaunchAnew):
            anew = claim.again(self._ledger.claim_number(), action.lost)
            self._ledger.remember(action.job_id, anew)
            return [wanted(self._ledger.epoch, job, anew)]
        if isinstance(action, Terminate):
            self._terminate(runs.of_claims[self._key(job, claim)])
            return []
        if isinstance(action, Fail) and action.error_class == CANCELLED:
            self._say_cancelled(runs.of_claims.get(self._key(job, claim)))
        self._end(job, claim, action)
        return []

    def _end(self, job: BullJob, claim: Claim | None, ending: Ending) -> None:
        try:
            self._settle.end(job, claim, ending)
        except (ServiceDown, ConflictError, redis.RedisError):
            raise
        except Exception as error:
            # Such as a job that was removed meanwhile; the next tick looks again.
            logger.warning("job %s: %s", ending.job_id, error, exc_info=True)

    def _say_cancelled(self, run: DagsterRun | None) -> None:
        """Also of a run whose worker was gone before it could be stopped."""
        if run is not None and run.status == DagsterRunStatus.FAILURE:
            self._instance.report_run_canceled(run, "cancelled by request; its worker was gone before")

    def _end_orphan(self, run: DagsterRun, held: Mapping[str, str]) -> None:
        """A run of a job that was removed, or of a claim that another one replaced. One whose job waits again, since
        another consumer put it back, is adopted when the job is taken."""
        job_id = run.tags[JOB_TAG]
        if job_id in held or self._active.bull.ended(job_id):
            self._terminate(run)

    def _terminate(self, run: DagsterRun) -> None:
        self._instance.run_coordinator.cancel_run(run.run_id)
        gone = not self._ledger.redis.exists(self._ledger.keys.alive(run.run_id))
        if run.status == DagsterRunStatus.CANCELING and gone:
            # Its worker died before it could say so.
            self._instance.report_run_canceled(run)
