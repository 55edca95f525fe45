"""Takes a job in: what shall be made is written down before any run exists, then that we hold it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from typing import Any

from bullmq import Job as BullJob
from dagster import DagsterRun

from video_pipeline.errors import PipelineError, RequestError
from video_pipeline.execution.tags import CLAIM_TAG, JOB_TAG, REQUEST_TAG
from video_pipeline.identity import new_video_id
from video_pipeline.intake.active import Active
from video_pipeline.intake.job import Job, parse
from video_pipeline.intake.ledger import Claim
from video_pipeline.intake.wanted import number_of
from video_pipeline.stores.requests import Requests, VideoRequest
from video_pipeline.stores.sources import local_path, paths_beside


def accept(active: Active, requests: Requests, job: BullJob, unfinished: Iterable[DagsterRun]) -> Claim:
    """Writes the job's request row, then its claim. Doing it again gives the same row.

    Args:
        unfinished: runs of this queue; one that is about this job and request is adopted, not started again.

    Raises:
        RequestError: the job's data cannot be used.
    """
    if job.deferredFailure:
        raise RequestError(str(job.deferredFailure))  # a child of its flow failed
    ledger, settings, job_id = active.ledger, active.bull.settings, str(job.id)
    asked = parse(job.data, settings.presets_dir)
    video_id = asked.video_id
    if video_id is None:
        video_id = new_video_id()
        active.write_data(job, {**job.data, "videoId": video_id})
    request = _request(requests, ledger.claims(), job, asked, video_id, settings.default_preset)
    running = [run for run in unfinished if run.tags[JOB_TAG] == job_id and run.tags[REQUEST_TAG] == str(request)]
    number = number_of(running[0].tags[CLAIM_TAG]) if running else ledger.claim_number()
    claim = Claim(number=number, video_id=video_id, request=request, order=number, bulk=active.is_bulk(job))
    ledger.remember(job_id, claim)
    ledger.forget_notes(video_id)
    ledger.note(video_id, jobId=job_id, state="queued")
    return claim


def _request(
    requests: Requests, claims: dict[str, Claim], job: BullJob, asked: Job, video_id: str, default_preset: str
) -> int:
    """The version of the job's request: that of the job before it if both want the same, else one of its own."""
    wanted: dict[str, Any] = {
        "source": asked.source,
        "preset": asked.preset or default_preset,
        "title": asked.title,
        "description": asked.description,
        "tags": asked.tags,
        "metadata": asked.metadata,
        "options": asked.options,
    }
    before = [claim for name, claim in claims.items() if claim.video_id == video_id and name != str(job.id)]
    if before:
        last = requests.get(video_id, max(before, key=lambda claim: claim.order).request)
        same = last is not None and {name: getattr(last, name) for name in wanted} == wanted
        # A run that began before its thumbnail was brought may not show it.
        if last is not None and same and _unchanged(last) and not requests.picture_since(video_id, last.created):
            return last.version
    return requests.add(video_id=video_id, **wanted, job_id=_life(job, video_id)).version


def _unchanged(request: VideoRequest) -> bool:
    """Whether the source and the files with it are as they were when they were asked for; one we cannot see from here
    may not be."""
    try:
        files = [local_path(request.source), *paths_beside(request.options)]
        return all(os.stat(file).st_mtime < request.created.timestamp() for file in files)
    except (OSError, PipelineError):
        return False


def _life(job: BullJob, video_id: str) -> str:
    """One life of a job with one content: ids repeat after a queue is emptied, data change before a retry."""
    data = {**(job.data if isinstance(job.data, dict) else {}), "videoId": video_id}
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    return f"{job.id}:{job.timestamp}:{digest}"
