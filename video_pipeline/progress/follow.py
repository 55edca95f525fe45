"""Follows one job to its end."""

from __future__ import annotations

import json
import time
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
AGAIN_SECONDS = 0.5


def follow(
    settings: Settings, job_id: str, video_id: str, stream: TextIO | None, *, each: Callable[[], None] | None = None
) -> dict[str, Any]:
    """Waits for the job's end, shows its progress on `stream`, and returns the value its producer gets.

    Args:
        each: called several times per second.

    Raises:
        PipelineError: the job failed; of the class that its reason names.
        ServiceDown: Redis is away for longer than VIDEO_PIPELINE_REDIS_WAIT_SECONDS.
    """
    following = _Following(settings, job_id, video_id, stream)
    answered = time.monotonic()
    while True:
        if each:
            each()
        try:
            done = following.look()
            answered = time.monotonic()
        except (redis.RedisError, ServiceDown) as error:
            if time.monotonic() - answered > settings.redis_wait_seconds:
                raise ServiceDown(f"the queue does not answer: {error}") from None
            time.sleep(AGAIN_SECONDS)
            continue
        if done is not None:
            return done


class _Following:
    def __init__(self, settings: Settings, job_id: str, video_id: str, stream: TextIO | None) -> None:
        self._settings, self._keys = settings, Keys(settings)
        self._job_id, self._video_id, self._stream = job_id, video_id, stream
        self._text = TextReporter(stream) if stream else None
        self._told = self._last = ""

    def look(self) -> dict[str, Any] | None:
        """Shows what is new; the job's value once it is completed."""
        queue = bull(self._settings)
        if not self._last:
            asked = queue.job(self._job_id)
            # Of an earlier life of this job id nothing is shown.
            self._last = str(asked.timestamp - 1) if asked else "0"
        found: Any = client(self._settings).xread({self._keys.progress: self._last}, block=WAIT_MS, count=100)
        for _, entries in found or []:
            for entry_id, entry in entries:
                self._last = entry_id
                if self._text and (entry["jobId"], entry["videoId"]) == (self._job_id, self._video_id):
                    self._text.report(entry["stage"], float(entry["fraction"]))
        state = queue.state(self._job_id)
        if state not in ("completed", "failed", "delayed", "unknown"):
            return None
        job = queue.job(self._job_id)
        reason = str(job.failedReason or "") if job else "transient: the job was removed"
        if state == "completed" and job:
            return _value(job.returnvalue)
        if state in ("failed", "unknown"):
            raise outcome(reason)
        if self._stream and reason and reason != self._told:
            print(f"an attempt failed, another one follows; {reason}", file=self._stream, flush=True)
            self._told = reason
        return None


def _value(returned: Any) -> dict[str, Any]:
    return dict((json.loads(returned) if isinstance(returned, str) else returned) or {})


def outcome(reason: str) -> PipelineError:
    """A failed job's reason as the error it was."""
    if reason == CANCELLED:
        return Cancelled("the job was cancelled")
    kind, _, sentence = reason.partition(": ")
    known: dict[str, type[PipelineError]] = {"permanent": SourceError, "dependency": DependencyError}
    return known.get(kind, TransientError)(sentence or reason)
