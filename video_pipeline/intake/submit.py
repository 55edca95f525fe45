"""Puts a job into the queue, and follows one to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TextIO

from video_pipeline.connection import client
from video_pipeline.errors import Cancelled, PipelineError, RequestError, SourceError, TransientError
from video_pipeline.execution.keys import Keys
from video_pipeline.identity import new_video_id
from video_pipeline.intake.bull import bull
from video_pipeline.intake.job import parse
from video_pipeline.progress.reporter import TextReporter
from video_pipeline.settings import Settings
from video_pipeline.stores.sources import local_path

WAIT_MS = 500


def submit_job(settings: Settings, source: str, *, priority: int = 0, **fields: Any) -> tuple[str, str]:
    """Checks and enqueues; returns job id and video id.

    Args:
        fields: those of `Job`, by their Python names; None is left out.

    Raises:
        RequestError, SourceError: a field or the source cannot be used; nothing was enqueued.
    """
    path = local_path(source).absolute()
    given = {name: value for name, value in fields.items() if value not in (None, (), {})}
    job = parse({"source": str(path), "video_id": new_video_id(), **given}, settings.presets_dir)
    assert job.video_id is not None
    job_id = bull(settings).add(job.data(), priority=priority, attempts=settings.queue_max_attempts)
    return job_id, job.video_id


def follow(settings: Settings, job_id: str, video_id: str, stream: TextIO | None) -> dict[str, Any]:
    """Waits for the job's end, shows its progress on `stream`, and returns its value.

    Raises:
        PipelineError: the job failed; permanent ones as `SourceError`.
    """
    queue, connection, keys = bull(settings), client(settings), Keys(settings)
    text = TextReporter(stream) if stream else None
    last = "$"
    recent = connection.xrevrange(keys.progress, count=1)
    last = recent[0][0] if recent else "0"
    while True:
        for _, entries in connection.xread({keys.progress: last}, block=WAIT_MS, count=100) or []:
            for last, entry in entries:
                if text and entry["videoId"] == video_id:
                    text.report(entry["stage"], float(entry["fraction"]))
        state = queue.state(job_id)
        if state == "completed":
            job = queue.job(job_id)
            value = job.returnvalue if job else None
            if isinstance(value, str):
                value = json.loads(value)
            return dict(value or {})
        if state in ("failed", "unknown"):
            job = queue.job(job_id)
            raise _failed(job.failedReason if job else "the job was removed")


def _failed(reason: str) -> PipelineError:
    if reason == "cancelled":
        return Cancelled("the job was cancelled")
    return TransientError(reason)


def release_directory(settings: Settings, value: dict[str, Any]) -> Path:
    """Where the release lies."""
    return settings.store / str(value["release"])


__all__ = ["RequestError", "SourceError", "follow", "release_directory", "submit_job"]
