"""Progress into Redis: a stream for whoever listens, a hash for whoever asks, and BullMQ's own progress event."""

from __future__ import annotations

import os
import time
from functools import cache, lru_cache, partial
from typing import Any

from video_pipeline.connection import client
from video_pipeline.execution.keys import Keys
from video_pipeline.intake.bull import bull
from video_pipeline.intake.ledger import NOTE_SECONDS
from video_pipeline.intake.messages import Progress
from video_pipeline.progress.reporter import Reporter
from video_pipeline.progress.teller import Teller
from video_pipeline.settings import Settings

STREAM_LENGTH = 10_000
FLUSH_SECONDS = 1.0

_TELL = """
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 4))
if ARGV[3] ~= '' then
  -- Nobody holds the job any more: its end was noted, or another job of this video has begun.
  if redis.call('HEXISTS', KEYS[3], ARGV[3]) == 0 then return end
  redis.call('HSET', KEYS[2], 'state', 'running')
end
redis.call('HSET', KEYS[2], unpack(ARGV, 4))
redis.call('EXPIRE', KEYS[2], ARGV[2])
"""


class RedisReporter(Reporter):
    """A run's progress; what cannot be told is told later or lost, never the run."""

    def __init__(self, settings: Settings, *, video_id: str, run_id: str, job_id: str | None) -> None:
        super().__init__()
        self._settings, self._keys = settings, Keys(settings)
        self._video_id, self._run_id, self._job_id = video_id, run_id, job_id

    def tell(self, stage: str, fraction: float, percent: float) -> None:
        event = Progress(stage=stage, fraction=round(fraction, 4), percent=percent).data()
        told = {"videoId": self._video_id, "runId": self._run_id, "jobId": self._job_id or "", **event}
        calls = [partial(self._note, {**told, "at": round(time.time(), 3)})]
        if self._job_id:
            calls.append(partial(self._to_job, self._job_id, event))
        _teller(self._settings, os.getpid()).tell(*calls)

    def _note(self, fields: dict[str, Any]) -> None:
        keys = (self._keys.progress, self._keys.video(self._video_id), self._keys.claims)
        words = [str(word) for field in fields.items() for word in field]
        client(self._settings).eval(
            _TELL, len(keys), *keys, str(STREAM_LENGTH), str(NOTE_SECONDS), self._job_id or "", *words
        )

    def _to_job(self, job_id: str, event: dict[str, Any]) -> None:
        bull(self._settings).progress(job_id, event)

    def flush(self) -> None:
        _teller(self._settings, os.getpid()).flush(FLUSH_SECONDS)


@cache
def _teller(_settings: Settings, _pid: int) -> Teller:
    return Teller()


@lru_cache(maxsize=64)
def _reporter(settings: Settings, video_id: str, run_id: str, job_id: str | None) -> RedisReporter:
    return RedisReporter(settings, video_id=video_id, run_id=run_id, job_id=job_id)


def reporter_for(settings: Settings, *, video_id: str, run_id: str, job_id: str | None) -> RedisReporter:
    """The run's one reporter of this process: its percentage goes on from step to step."""
    return _reporter(settings, video_id, run_id, job_id)
