"""Jobs whose id follows from what they ask for: however often the same is asked for, it is enqueued once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from video_pipeline.intake.bull import Bull
from video_pipeline.stores.requests import Requests

CHUNK = 1000


def job_id(kind: str, *content: object) -> str:
    """`kind` and a digest; BullMQ refuses numbers and colons."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def enqueue(
    queue: Bull, requests: Requests, jobs: Mapping[str, dict[str, Any]], *, priority: int = 0, attempts: int = 1
) -> set[str]:
    """Enqueues job data by id and returns the ids that were new; a job that was removed after it ran is not.

    Raises:
        ServiceDown: the queue does not answer. Doing it again adds what is missing.
    """
    known = queued(queue, list(jobs)) | {one for one in jobs if requests.had_job(one)}
    new = {one: data for one, data in jobs.items() if one not in known}
    queue.add_many(new, priority=priority, attempts=attempts)
    return set(new)


def queued(queue: Bull, job_ids: list[str]) -> set[str]:
    """Those of the ids that the queue has, in whatever state."""
    found: set[str] = set()
    for start in range(0, len(job_ids), CHUNK):
        some = job_ids[start : start + CHUNK]
        with queue.redis.pipeline(transaction=False) as pipe:
            for one in some:
                pipe.exists(queue.key(one))
            found |= {one for one, there in zip(some, pipe.execute(), strict=True) if there}
    return found
