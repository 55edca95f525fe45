"""One tick of the reconciler: looks at queue, runs and index, and acts on the difference. Every effect can be
repeated, so a tick that dies at any line is repaired by the next."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import redis
from bullmq import Job as BullJob
from dagster import DagsterInstance
from dagster._core.storage.tags import PRIORITY_TAG

from video_pipeline.errors import (
    ConflictError,
    PermanentError,
    PipelineError,
    RequestError,
    ServiceDown,
)
from video_pipeline.execution.tags import CLAIM_TAG, JOB_TAG, REQUEST_TAG, VIDEO_TAG
from video_pipeline.identity import check_video_id, new_video_id
from video_pipeline.intake import runs
from video_pipeline.intake.bull import Bull
from video_pipeline.intake.decide import (
    CANCELLED,
    Action,
    Complete,
    Fail,
    HeldView,
    Launch,
    LaunchAnew,
    Terminate,
    decide,
)
from video_pipeline.intake.job import parse
from video_pipeline.intake.ledger import Claim
from video_pipeline.intake.room import room
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.releases import current
from video_pipeline.stores.requests import Requests

T = TypeVar("T")
logger = logging.getLogger(__name__)
POLL_SECONDS = 4.0
"""A tick's patience. Dagster's limit is 60 s; other sensors wait for this one."""
LATER_SECONDS = 5.0


@dataclass(frozen=True)
class Wanted:
    """A run Dagster shall start."""

    run_key: str
    video_id: str
    tags: dict[str, str]


class Reconciler:
    """One tick's worth of it; make a new one for each.

    Attributes:
        why_idle: why nothing was taken from the queue, if there is a reason.
    """

    def __init__(
        self, bull: Bull, requests: Requests, instance: DagsterInstance, *, keep: Callable[[], None] = lambda: None
    ) -> None:
        """`keep` renews the lease and raises if it is lost; it is called before every effect."""
        self._bull, self._ledger, self._keep = bull, bull.ledger, keep
        self._requests, self._instance, self._settings = requests, instance, bull.settings
        self.why_idle = ""

    def tick(self) -> list[Wanted]:
        """Settles, cancels and claims until there is a run to start, or the tick's time is over."""
        deadline = time.monotonic() + POLL_SECONDS
        wanted, live = self._settle()
        while not wanted and (left := deadline - time.monotonic()) > 0:
            free, self.why_idle = room(self._settings, live)
            # A waiting job that shall be cancelled needs no slot.
            free = max(free, self._raise_cancelled())
            self._keep()
            for job in self._bull.take(free, left):
                wanted += self._guarded(job, self._accept, job)
            if not wanted:
                wanted, live = self._settle()
        return wanted

    def _guarded(self, job: BullJob, act: Callable[..., list[T]], *args: object) -> list[T]:
        """One job's trouble is its own; the tick goes on with the others."""
        self._keep()
        try:
            return act(*args)
        except (ServiceDown, ConflictError, redis.RedisError):
            raise  # nothing can be done for any job
        except PermanentError as error:
            self._fail(job, f"{error.error_class}: {error}", final=True)
        except Exception as error:
            logger.warning("job %s: %s", job.id, error, exc_info=True)
            if act == self._accept:
                # It has no claim yet: nothing is lost if it comes again.
                self._bull.give_back(job, LATER_SECONDS)
            elif isinstance(error, PipelineError):
                self._fail(job, f"{error.error_class}: {error}", final=False)
            # Else the next tick looks again: its run may be live.
        return []

    def _raise_cancelled(self) -> int:
        """Brings waiting jobs that shall be cancelled to the head; requests about ended jobs are dropped."""
        cancels = self._ledger.cancels()
        if not cancels:
            return 0
        held = {str(one.job.id) for one in self._bull.held()}
        raised = 0
        for job_id in cancels - held:
            if self._bull.raise_to_head(job_id):
                raised += 1
            elif self._bull.state(job_id) != "active":
                self._ledger.forget_cancel(job_id)
        return raised

    def _settle(self) -> tuple[list[Wanted], int]:
        """Acts on every job we hold; returns the runs to start and how many jobs stay held."""
        self._keep()
        held = self._bull.held()
        claimed = {str(one.job.id): (one.job, one.claim) for one in held if one.claim is not None}
        wanted: list[Wanted] = []
        for one in held:
            if one.claim is None:
                wanted += self._guarded(one.job, self._accept, one.job)
        cancels = self._ledger.cancels()
        views: list[HeldView] = []
        for job, claim in claimed.values():
            views += self._guarded(job, self._look, job, claim, cancels)
        ended = 0
        for action in decide(views):
            job, claim = claimed[action.job_id]
            wanted += self._guarded(job, self._act, job, claim, action)
            ended += isinstance(action, Complete | Fail)
        return wanted, len(held) - ended

    def _look(self, job: BullJob, claim: Claim, cancels: set[str]) -> list[HeldView]:
        job_id = str(job.id)
        run = runs.newest(self._instance, job_id, self._run_key(job_id, claim))
        # While it runs it does not matter.
        release = None if run and run.state == "live" else published(self._settings.store, self._requests, claim)
        return [HeldView(job_id, run=run, published=release, lost=claim.lost, cancel=job_id in cancels)]

    def _act(self, job: BullJob, claim: Claim, action: Action) -> list[Wanted]:
        if isinstance(action, Launch):
            return [self._wanted(job, claim)]
        if isinstance(action, LaunchAnew):
            anew = replace(claim, number=self._ledger.claim_number(), lost=claim.lost + 1)
            self._ledger.remember(action.job_id, anew)
            return [self._wanted(job, anew)]
        if isinstance(action, Terminate):
            self._instance.run_coordinator.cancel_run(action.run_id)
        elif isinstance(action, Complete):
            self._bull.complete(job, self._value(claim, action.release_id))
            self._ledger.note(claim.video_id, jobId=action.job_id, state="completed", reason="")
            self._ledger.forget_cancel(action.job_id)
        else:
            self._fail(job, action.reason, final=action.final)
            self._ledger.forget_cancel(action.job_id)
        return []

    def _fail(self, job: BullJob, reason: str, *, final: bool) -> None:
        self._bull.fail(job, reason, final=final)
        video_id = job.data.get("videoId") if isinstance(job.data, dict) else None
        if isinstance(video_id, str):
            with contextlib.suppress(RequestError):
                self._ledger.note(check_video_id(video_id), jobId=str(job.id), state="failed", reason=reason)

    def _accept(self, job: BullJob) -> list[Wanted]:
        """A job just taken: its request row is written, then its claim, then its run is asked for.

        Raises:
            RequestError: its data cannot be used.
        """
        job_id = str(job.id)
        if job_id in self._ledger.cancels():
            self._fail(job, CANCELLED, final=True)
            self._ledger.forget_cancel(job_id)
            return []
        asked = parse(job.data, self._settings.presets_dir)
        video_id = asked.video_id
        if video_id is None:
            video_id = new_video_id()
            self._bull.write_data(job, {**job.data, "videoId": video_id})
        if any(claim.video_id == video_id for claim in self._ledger.claims().values()):
            # Two runs of one partition would mix their files; the second job comes back in a moment.
            self._bull.give_back(job, LATER_SECONDS)
            return []
        request = self._requests.add(
            video_id=video_id,
            source=asked.source,
            preset=asked.preset or self._settings.default_preset,
            title=asked.title,
            description=asked.description,
            tags=asked.tags,
            metadata=asked.metadata,
            job_id=_life(job, video_id),
        )
        claim = Claim(number=self._ledger.claim_number(), video_id=video_id, request=request.version)
        self._ledger.remember(job_id, claim)
        self._ledger.forget_notes(video_id)
        self._ledger.note(video_id, jobId=job_id, state="queued")
        return [self._wanted(job, claim)]

    def _wanted(self, job: BullJob, claim: Claim) -> Wanted:
        key = self._run_key(str(job.id), claim)
        return Wanted(
            run_key=key,
            video_id=claim.video_id,
            tags={
                VIDEO_TAG: claim.video_id,
                REQUEST_TAG: str(claim.request),
                JOB_TAG: str(job.id),
                CLAIM_TAG: key,
                # BullMQ's smallest priority goes first, Dagster's largest.
                PRIORITY_TAG: str(-int(job.opts.get("priority") or 0)),
            },
        )

    def _run_key(self, job_id: str, claim: Claim) -> str:
        return f"{self._ledger.epoch}:{job_id}:{claim.number}"

    def _value(self, claim: Claim, release_id: str) -> dict[str, object]:
        """What the producer gets."""
        video = f"videos/{claim.video_id}"
        return {
            "videoId": claim.video_id,
            "releaseId": release_id,
            "release": f"{video}/releases/{release_id}",
            "hls": f"{video}/master.m3u8",
            "dash": f"{video}/manifest.mpd",
        }


def published(store: Path, requests: Requests, claim: Claim) -> str | None:
    """The release that was made of the request, if it is indexed and the video has a pointer."""
    release = requests.published(claim.video_id, claim.request)
    return release if release is not None and current(LocalStore(store), claim.video_id) is not None else None


def _life(job: BullJob, video_id: str) -> str:
    """One life of a job with one content: ids repeat after a queue is emptied, data change before a retry."""
    data = {**(job.data if isinstance(job.data, dict) else {}), "videoId": video_id}
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    return f"{job.id}:{job.timestamp}:{digest}"
