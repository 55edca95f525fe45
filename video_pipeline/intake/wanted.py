"""The run a job wants, as Dagster is asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from bullmq import Job as BullJob
from dagster._core.storage.tags import PRIORITY_TAG

from video_pipeline.execution.tags import CLAIM_TAG, JOB_TAG, QUEUE_TAG, REQUEST_TAG, VIDEO_TAG
from video_pipeline.intake.ledger import Claim


@dataclass(frozen=True)
class Wanted:
    """A run Dagster shall start."""

    run_key: str
    video_id: str
    tags: dict[str, str]


def run_key(epoch: str, job_id: str, claim: Claim) -> str:
    """Dagster ignores a key it has seen, and BullMQ's job ids and attempts repeat: hence the queue's life and our
    number."""
    return f"{epoch}:{job_id}:{claim.number}"


def number_of(key: str) -> int:
    """The claim's number in a `run_key`."""
    return int(key.rpartition(":")[2])


def wanted(epoch: str, job: BullJob, claim: Claim) -> Wanted:
    key = run_key(epoch, str(job.id), claim)
    return Wanted(
        run_key=key,
        video_id=claim.video_id,
        tags={
            VIDEO_TAG: claim.video_id,
            REQUEST_TAG: str(claim.request),
            JOB_TAG: str(job.id),
            CLAIM_TAG: key,
            QUEUE_TAG: epoch,
            # BullMQ's smallest priority goes first, Dagster's largest.
            PRIORITY_TAG: str(-int(job.priority or 0)),
        },
    )
