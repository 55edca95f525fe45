"""What a producer on this machine does: put a job into the queue."""

from __future__ import annotations

from typing import Any

from video_pipeline.identity import new_video_id
from video_pipeline.intake import spelled
from video_pipeline.intake.bull import bull
from video_pipeline.intake.job import parse
from video_pipeline.settings import Settings
from video_pipeline.stores.requests import VideoRequest
from video_pipeline.stores.sources import local_path, paths_beside


def submit_job(settings: Settings, source: str, *, priority: int = 0, **fields: Any) -> tuple[str, str]:
    """Checks and enqueues; returns job id and video id.

    Args:
        fields: those of `Job`, by their Python names; None and what is empty are left out.

    Raises:
        RequestError, SourceError: a field, the source or a file with it cannot be used; nothing was enqueued.
    """
    path = local_path(source).absolute()
    job = parse({"source": str(path), "videoId": new_video_id(), **spelled.fields(fields)}, settings.presets_dir)
    paths_beside(job.options)
    assert job.video_id is not None
    job_id = bull(settings).add(job.data(), priority=priority, attempts=settings.queue_max_attempts)
    return job_id, job.video_id


def submit_again(settings: Settings, request: VideoRequest) -> str:
    """Enqueues a job that wants what this request did, but leaves the thumbnail that is kept; returns its id.

    Raises:
        RequestError, SourceError: it cannot be used any more; nothing was enqueued.
    """
    options = request.options.model_copy(update={"thumbnail": None})
    fields = request.model_dump(include={"video_id", "preset", "title", "description", "tags", "metadata"})
    job = parse({"source": request.source, **spelled.fields(fields), **options.data()}, settings.presets_dir)
    local_path(job.source)
    paths_beside(job.options)
    return bull(settings).add(job.data(), priority=0, attempts=settings.queue_max_attempts)
