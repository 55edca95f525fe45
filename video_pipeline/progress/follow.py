"""Follows one job to its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TextIO

import redis

from video_pipeline.connection import client
from video_pipeline.errors import Cancelled, DependencyError, PipelineError, ServiceDown, SourceError, TransientError
from video_pipeline.execution.keys import Keys
from video_pipeline.intake.bull import bull
from video_pipeline.intake.decide import CANCELLED
from video_pipeline.progress.reporter import TextReporter
from video_pipeline.settings import Settings

WAIT_MS = 300


def follow(
    settings: Settings, job_id: str, video_id: str, stream: TextIO | None, *, each: Callable[[], None] | None = None
) -> dict[str, Any]:
    """Waits for the job's end, shows its progress on `stream`, and returns the value its producer gets.

    Args:
        each: called several times per second.

    Raises:
        PipelineError: the job failed; of the class that its reason names.
        ServiceDown: Redis does not answer.
    """
    queue, connection, keys = bull(settings), client(settings), Keys(settings)
    text = TextReporter(stream) if stream else None
    told = ""
    asked = queue.job(job_id)
    # Of an earlier life of this job id nothing is shown.
    last = str(asked.timestamp - 1) if asked else "0"
    while True:
        if each:
            each()
        try:
            found: Any = connection.xread({keys.progress: last}, block=WAIT_MS, count=100)
        except redis.RedisError as error:
            raise ServiceDown(f"the queue does not answer: {error}") from None
        for _, entries in found or []:
            for entry_id, entry in entries:
                last = entry_id
                if text and entry["jobId"] == job_id and entry["videoId"] == video_id:
                    text.report(entry["stage"], float(entry["fraction"]))
        state = queue.state(job_id)
        if state in ("completed", "failed", "delayed", "unknown"):
            job = queue.job(job_id)
            reason = str(job.failedReason or "") if job else "transient: the job was removed"
            if state == "completed" and job:
                return _value(job.returnvalue)
            if state in ("failed", "unknown"):
                raise outcome(reason)
            if stream and reason and reason != told:
                print(f"an attempt failed, another one follows; {reason}", file=stream, flush=True)
                told = reason


def _value(returned: Any) -> dict[str, Any]:
    return dict((json.loads(returned) if isinstance(returned, str) else returned) or {})


def outcome(reason: str) -> PipelineError:
    """A failed job's reason as the error it was."""
    if reason == CANCELLED:
        return Cancelled("the job was cancelled")
    kind, _, sentence = reason.partition(": ")
    known: dict[str, type[PipelineError]] = {"permanent": SourceError, "dependency": DependencyError}
    return known.get(kind, TransientError)(sentence or reason)
