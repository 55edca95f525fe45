"""One tick of the reconciler: looks at queue, runs and index, and acts on the difference. Every effect can be
repeated, so a tick that dies at any line is repaired by the next."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import dataclass, replace

from bullmq import Job as BullJob
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.storage.tags import PRIORITY_TAG

from video_pipeline.errors import Interrupted, PermanentError
from video_pipeline.execution.slots import slots
from video_pipeline.identity import new_video_id
from video_pipeline.intake import runs
from video_pipeline.intake.bull import Bull, Claim, Held
from video_pipeline.intake.decide import (
    CANCELLED,
    Complete,
    Fail,
    HeldView,
    Launch,
    LaunchAnew,
    RunView,
    Terminate,
    decide,
)
from video_pipeline.intake.job import parse
from video_pipeline.intake.tags import CLAIM_TAG, JOB_TAG, REQUEST_TAG, VIDEO_TAG
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.releases import current
from video_pipeline.stores.requests import Requests

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
    def __init__(self, bull: Bull, requests: Requests, instance: DagsterInstance) -> None:
        self._bull, self._requests, self._instance = bull, requests, instance
        self._settings = bull.settings

    def tick(self) -> list[Wanted]:
        """Settles, cancels and claims until there is a run to start, or the tick's time is over."""
        deadline = time.monotonic() + POLL_SECONDS
        wanted, live = self._settle()
        while not wanted and (left := deadline - time.monotonic()) > 0:
            # A waiting job that shall be cancelled needs no slot.
            room = max(self._room(live), self._raise_cancelled())
            for job in self._bull.take(room, left):
                wanted += self._accept(job)
            if not wanted:
                wanted, live = self._settle()
        return wanted

    def _room(self, live: int) -> int:
        free_gb = shutil.disk_usage(self._settings.home).free / 1e9
        return max(0, slots(self._settings) - live) if free_gb >= self._settings.min_free_gb else 0

    def _raise_cancelled(self) -> int:
        """Brings waiting jobs that shall be cancelled to the head; requests about ended jobs are dropped."""
        cancels = self._bull.cancels()
        if not cancels:
            return 0
        held = {str(one.job.id) for one in self._bull.held()}
        raised = 0
        for job_id in cancels - held:
            if self._bull.raise_to_head(job_id):
                raised += 1
            elif self._bull.state(job_id) != "active":
                self._bull.forget_cancel(job_id)
        return raised

    def _settle(self) -> tuple[list[Wanted], int]:
        """Acts on every job we hold; returns the runs to start and how many jobs stay held."""
        held = self._bull.held()
        by_id = {str(one.job.id): one for one in held}
        cancelled = self._bull.cancels()
        wanted = [run for one in held if one.claim is None for run in self._accept(one.job)]
        claimed = [(one, one.claim) for one in held if one.claim is not None]
        actions = decide([self._view(one, claim, cancelled) for one, claim in claimed])
        ended = 0
        for action in actions:
            one = by_id[action.job_id]
            claim = one.claim
            assert claim is not None
            if isinstance(action, Complete):
                self._bull.complete(one.job, self._value(claim, action.release_id))
            elif isinstance(action, Fail):
                self._bull.fail(one.job, action.reason, final=action.final)
            elif isinstance(action, Terminate):
                self._instance.run_coordinator.cancel_run(action.run_id)
            elif isinstance(action, LaunchAnew):
                anew = replace(claim, number=self._bull.claim_number(), lost=claim.lost + 1)
                self._bull.remember(action.job_id, anew)
                wanted.append(self._wanted(one.job, anew))
            elif isinstance(action, Launch):
                wanted.append(self._wanted(one.job, claim))
            if isinstance(action, Complete | Fail):
                ended += 1
                self._bull.forget_cancel(action.job_id)
        return wanted, len(held) - ended

    def _view(self, one: Held, claim: Claim, cancelled: set[str]) -> HeldView:
        published = self._requests.published(claim.video_id, claim.request)
        if published is not None:
            pointer = current(LocalStore(self._settings.store), claim.video_id)
            published = published if pointer is not None else None
        return HeldView(
            job_id=str(one.job.id),
            run=self._run(str(one.job.id), claim),
            published=published,
            lost=claim.lost,
            cancel=str(one.job.id) in cancelled,
        )

    def _run(self, job_id: str, claim: Claim) -> RunView | None:
        """The job's live run, else the run of this claim."""
        found = self._instance.get_runs(RunsFilter(tags={JOB_TAG: job_id}), limit=10)
        live = [run for run in found if not run.is_finished]
        ours = [run for run in found if run.tags.get(CLAIM_TAG) == self._run_key(job_id, claim)]
        for run in [*live, *ours]:
            return self._seen(run)
        return None

    def _seen(self, run: DagsterRun) -> RunView:
        if not run.is_finished:
            return RunView(run.run_id, "live")
        if run.status == DagsterRunStatus.SUCCESS:
            return RunView(run.run_id, "succeeded")
        if run.status == DagsterRunStatus.CANCELED:
            return RunView(run.run_id, "cancelled")
        error = runs.first_failure(self._instance, run.run_id)
        if error is None or error.code == Interrupted.code:
            return RunView(run.run_id, "lost")
        return RunView(run.run_id, "failed", error.error_class, error.sentence)

    def _accept(self, job: BullJob) -> list[Wanted]:
        """A job just taken: its request row is written, then its claim, then its run is asked for."""
        if str(job.id) in self._bull.cancels():
            self._bull.fail(job, CANCELLED, final=True)
            self._bull.forget_cancel(str(job.id))
            return []
        try:
            data = job.data if isinstance(job.data, dict) else {}
            asked = parse(job.data, self._settings.presets_dir)
        except PermanentError as error:
            self._bull.fail(job, f"{error.error_class}: {error}", final=True)
            return []
        video_id = asked.video_id
        if video_id is None:
            video_id = new_video_id()
            self._bull.write_data(job, {**data, "videoId": video_id})
        busy = any(one.claim and one.claim.video_id == video_id for one in self._bull.held())
        if busy:
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
        claim = Claim(number=self._bull.claim_number(), video_id=video_id, request=request.version)
        self._bull.remember(str(job.id), claim)
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
        return f"{self._bull.epoch}:{job_id}:{claim.number}"

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


def _life(job: BullJob, video_id: str) -> str:
    """One life of a job with one content: ids repeat after a queue is emptied, data change before a retry."""
    data = {**(job.data if isinstance(job.data, dict) else {}), "videoId": video_id}
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    return f"{job.id}:{job.timestamp}:{digest}"
