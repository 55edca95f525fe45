"""Progress into Redis: a stream for whoever listens, a hash for whoever asks, and BullMQ's own progress event."""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from typing import Any

import redis

from video_pipeline.connection import client
from video_pipeline.errors import PipelineError
from video_pipeline.execution.keys import Keys
from video_pipeline.intake.bull import bull
from video_pipeline.intake.ledger import NOTE_SECONDS
from video_pipeline.progress.reporter import Reporter
from video_pipeline.settings import Settings

STREAM_LENGTH = 10_000
logger = logging.getLogger(__name__)


class RedisReporter(Reporter):
    """A run's progress; what cannot be told is lost, never the run."""

    def __init__(self, settings: Settings, *, video_id: str, run_id: str, job_id: str | None) -> None:
        super().__init__()
        self._settings, self._keys = settings, Keys(settings)
        self._video_id, self._run_id, self._job_id = video_id, run_id, job_id

    def tell(self, stage: str, fraction: float, percent: float) -> None:
        fields: dict[Any, Any] = {
            "videoId": self._video_id,
            "runId": self._run_id,
            "jobId": self._job_id or "",
            "stage": stage,
            "fraction": round(fraction, 4),
            "percent": percent,
            "at": round(time.time(), 3),
        }
        try:
            with client(self._settings).pipeline() as pipe:
                pipe.xadd(self._keys.progress, fields, maxlen=STREAM_LENGTH, approximate=True)
                # A run from the Dagster UI has no job whose end anybody would note.
                state: dict[Any, Any] = {"state": "running"} if self._job_id else {}
                pipe.hset(self._keys.video(self._video_id), mapping={**fields, **state})
                pipe.expire(self._keys.video(self._video_id), NOTE_SECONDS)
                pipe.execute()
            if self._job_id:
                event = {"stage": stage, "fraction": fields["fraction"], "percent": percent}
                bull(self._settings).progress(self._job_id, event)
        except (redis.RedisError, PipelineError) as error:
            logger.warning("progress of %s could not be told: %s", self._video_id, error)


@lru_cache(maxsize=64)
def _reporter(settings: Settings, video_id: str, run_id: str, job_id: str | None) -> RedisReporter:
    return RedisReporter(settings, video_id=video_id, run_id=run_id, job_id=job_id)


def reporter_for(settings: Settings, *, video_id: str, run_id: str, job_id: str | None) -> RedisReporter:
    """The run's one reporter of this process: its percentage goes on from step to step."""
    return _reporter(settings, video_id, run_id, job_id)
