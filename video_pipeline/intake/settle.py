"""Ends a job we hold: what its producer gets, and the last word on its video."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from random import random
from typing import Any

from bullmq import Job as BullJob

from video_pipeline.errors import PipelineError, RequestError
from video_pipeline.identity import check_video_id
from video_pipeline.intake import backoff
from video_pipeline.intake.active import Active
from video_pipeline.intake.decide import CANCELLED, Complete, Ending, Fail, Postpone
from video_pipeline.intake.ledger import Claim
from video_pipeline.intake.messages import Durations, Failure, Result
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.releases import current
from video_pipeline.stores.requests import Requests
from video_pipeline.stores.videos import duration


def ending_of(job_id: str, error: PipelineError) -> Fail | Postpone:
    """Of a job whose request could not be written down, or whose outcome could not be looked up."""
    if error.error_class == "dependency":
        return Postpone(job_id, error.error_class, error.code, str(error))
    return Fail(job_id, error.error_class, error.code, str(error), final=error.error_class == "permanent")


class Settle:
    def __init__(self, active: Active, requests: Requests) -> None:
        self._active, self._ledger, self._requests = active, active.ledger, requests
        self._store = active.bull.settings.store

    def end(self, job: BullJob, claim: Claim | None, ending: Ending) -> None:
        """Completes, fails or postpones the job, then drops what was asked about it."""
        if isinstance(ending, Complete):
            assert claim is not None, "only a claimed job is completed"
            self._active.complete(job, self._value(job, claim, ending.release_id).data())
            self._note(job, claim, state="completed", reason="", nextAt="")
        elif isinstance(ending, Fail):
            due = self._active.fail(job, ending.reason, _structured(job, ending), final=ending.final)
            ended = CANCELLED if ending.error_class == CANCELLED else "failed"
            # Without a backoff the next attempt waits already.
            state = ended if self._active.bull.ended(str(job.id)) else "retry"
            self._note(job, claim, state=state, reason=ending.reason, nextAt=_text(due))
        else:
            seconds = backoff.postpone_seconds(self._ledger.postponed(str(job.id)), random())
            due = self._active.postpone(job, seconds, ending.reason, _structured(job, ending))
            self._note(job, claim, state="retry", reason=ending.reason, nextAt=_text(due))
        if self._active.bull.ended(str(job.id)):  # else it was asked for a moment ago, and is still to be done
            self._ledger.forget_cancel(str(job.id))

    def _note(self, job: BullJob, claim: Claim | None, **words: str) -> None:
        video_id = claim.video_id if claim else job.data.get("videoId") if isinstance(job.data, dict) else None
        if isinstance(video_id, str):
            with contextlib.suppress(RequestError):
                self._ledger.note(check_video_id(video_id), jobId=str(job.id), **words)

    def _value(self, job: BullJob, claim: Claim, release_id: str) -> Result:
        """What the producer gets."""
        video, began = f"videos/{claim.video_id}", (job.processedOn or job.timestamp) / 1000
        mpd = f"{video}/manifest.mpd"
        return Result(
            video_id=claim.video_id,
            release_id=release_id,
            release=f"{video}/releases/{release_id}",
            hls=f"{video}/master.m3u8",
            dash=mpd if LocalStore(self._store).stat(mpd) else None,
            durations=Durations(
                queued_seconds=round(max(0.0, began - job.timestamp / 1000), 3),
                processing_seconds=round(max(0.0, time.time() - began), 3),
                video_seconds=duration(self._requests.index, claim.video_id) or 0.0,
            ),
        )


def published(store: Path, requests: Requests, claim: Claim) -> str | None:
    """The release that was made of the request, if it is indexed and the video has a pointer."""
    release = requests.published(claim.video_id, claim.request)
    return release if release is not None and current(LocalStore(store), claim.video_id) is not None else None


def _structured(job: BullJob, ending: Fail | Postpone) -> dict[str, Any]:
    return Failure(
        error_class=ending.error_class,
        code=ending.code,
        message=ending.message or ending.code,
        run_id=ending.run_id,
        attempt=job.attemptsMade + 1,
    ).data()


def _text(due: float | None) -> str:
    return "" if due is None else f"{due:.3f}"
