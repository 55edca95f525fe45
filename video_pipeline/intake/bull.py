"""The queue as producers and onlookers use it. Every method is plain and blocking; what the reconciler does to jobs it
holds is in `active.py`."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import redis.asyncio
from bullmq import Job as BullJob
from bullmq import Queue

from video_pipeline.connection import async_client, loop, url
from video_pipeline.errors import RequestError, ServiceDown
from video_pipeline.intake import backoff
from video_pipeline.intake.ledger import Ledger
from video_pipeline.portable import is_utf8
from video_pipeline.settings import Settings

STATES = ("wait", "prioritized", "active", "delayed", "completed", "failed", "paused", "waiting-children")
ENDED = ("completed", "failed", "unknown")
CHUNK = 1000
"""Jobs looked at, or enqueued, at a time."""
CHUNK_SECONDS = 120.0


class Bull:
    """The intake queue. Make one with `bull`."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.ledger = settings, Ledger(settings)
        self.redis, self.token = self.ledger.redis, self.ledger.token
        self.loop = loop()
        self.loop.run(self._open())

    async def _open(self) -> None:
        self.connection: Any = async_client(self.settings)
        options = {"connection": self.connection, "prefix": self.settings.queue_prefix}
        self.queue = Queue(self.settings.queue, options)

    def close(self) -> None:
        """Closes its connections; those of `bull` live as long as their process."""
        self.loop.run(self._close())

    async def _close(self) -> None:
        await self.queue.close()
        await self.connection.aclose()

    def key(self, *parts: str) -> str:
        """BullMQ's name of a key of this queue."""
        return ":".join((self.settings.queue_prefix, self.settings.queue, *parts))

    @property
    def control_name(self) -> str:
        """The queue of requests about jobs of this one."""
        return f"{self.settings.queue}-control"

    def control_key(self, *parts: str) -> str:
        return ":".join((self.settings.queue_prefix, self.control_name, *parts))

    # --- producers

    def add(self, data: Any, *, priority: int = 0, attempts: int = 1, job_id: str | None = None) -> str:
        """Enqueues a job and returns its id; one with a `job_id` that exists already changes nothing."""
        options: dict[str, Any] = {"attempts": attempts, "backoff": dict(backoff.DEFAULT)}
        options |= {"priority": priority} if priority else {}
        options |= {"jobId": job_id} if job_id else {}
        job = self.loop.run(self.queue.add("video", data, options))
        return str(job.id)

    def add_many(self, jobs: Mapping[str, dict[str, Any]], *, priority: int = 0, attempts: int = 1) -> None:
        """Enqueues job data by job id, in this order; an id that exists already changes nothing. A transaction each
        `CHUNK`: after a crash between two, doing it again adds the rest."""
        options: dict[str, Any] = {"attempts": attempts, "backoff": dict(backoff.DEFAULT)}
        options |= {"priority": priority} if priority else {}
        bulk = [{"name": "video", "data": data, "opts": {**options, "jobId": job_id}} for job_id, data in jobs.items()]
        for start in range(0, len(bulk), CHUNK):
            self.loop.run(self._add_chunk(bulk[start : start + CHUNK]), timeout=CHUNK_SECONDS)

    async def _add_chunk(self, jobs: list[dict[str, Any]]) -> None:
        if not isinstance(self.connection, redis.asyncio.RedisCluster):
            await self.queue.addBulk(jobs)
            return
        for job in jobs:  # a Cluster runs no scripts in a pipeline
            await self.queue.add(job["name"], job["data"], job["opts"])

    def pause(self, paused: bool) -> None:
        """Stops, or starts again, the taking of jobs; what runs goes on."""
        self.loop.run(_awaited(self.queue.pause() if paused else self.queue.resume()))

    # --- onlookers

    def counts(self) -> dict[str, int]:
        """Jobs by state."""
        found: dict[str, int] = self.loop.run(self.queue.getJobCounts(*STATES))
        return found

    def paused(self) -> bool:
        return bool(self.redis.hexists(self.key("meta"), "paused"))

    def job(self, job_id: str) -> BullJob | None:
        found: BullJob | None = self.loop.run(self.queue.getJob(job_id))
        return found

    def state(self, job_id: str) -> str:
        """BullMQ's state of a job: "waiting", "active", "completed", "failed", "unknown", ..."""
        return str(self.loop.run(_awaited(self.queue.getJobState(job_id))))

    def ended(self, job_id: str) -> bool:
        """It is in a state that it leaves only if somebody retries it, or it is not there at all."""
        return self.state(job_id) in ENDED

    def delayed(self, most: int) -> dict[str, float]:
        """The jobs that come back next, by id, and when: seconds since 1970."""
        found = self.redis.zrange(self.key("delayed"), 0, most - 1, withscores=True)
        return {str(job_id): _due(score) for job_id, score in found}

    def due(self, job_id: str) -> float | None:
        """When a delayed job comes back, seconds since 1970; None if it is not delayed."""
        score = self.redis.zscore(self.key("delayed"), job_id)
        return None if score is None else _due(score)

    def cancel(self, wanted: str, *, jobs_only: bool = False) -> list[str]:
        """Asks for the end of the unfinished jobs about the video of this id, else of the job of this id.

        Returns:
            Their ids.

        Raises:
            RequestError: there is none.
        """
        if not is_utf8(wanted):
            raise RequestError(f"no job of {wanted!r} waits or runs")
        jobs = [] if jobs_only else self.find(wanted)
        if not jobs and not self.ended(wanted):
            jobs = [wanted]
        if not jobs:
            raise RequestError(f"no job of {wanted} waits or runs")
        for job_id in jobs:
            self.ledger.cancel(job_id)
        return jobs

    def find(self, wanted: str) -> list[str]:
        """Ids of the unfinished jobs about the video of this id."""
        unfinished = list(self._unfinished())
        about = []
        for start in range(0, len(unfinished), CHUNK):
            some = unfinished[start : start + CHUNK]
            with self.redis.pipeline(transaction=False) as pipe:
                for job_id in some:
                    pipe.hget(self.key(job_id), "data")
                found = [of_a_job(answer) for answer in pipe.execute(raise_on_error=False)]
            about += [job_id for job_id, data in zip(some, found, strict=True) if _about(data, wanted)]
        return about

    def _unfinished(self) -> Iterator[str]:
        for name in ("active", "wait", "paused"):
            yield from self.redis.lrange(self.key(name), 0, -1)
        for name in ("prioritized", "delayed", "waiting-children"):
            yield from self.redis.zrange(self.key(name), 0, -1)

    def progress(self, job_id: str, value: dict[str, Any]) -> None:
        """BullMQ's own progress event; of a job that was removed meanwhile, nothing."""
        with contextlib.suppress(TypeError):  # what BullMQ raises of a job it does not have
            self.loop.run(_awaited(self.queue.backend.updateProgress(job_id, value)))


def of_a_job(answer: Any) -> Any:
    """An answer of a pipeline; None for what is no job at all, though its id is in the queue. Other errors are
    raised."""
    if isinstance(answer, redis.ResponseError) and str(answer).startswith("WRONGTYPE"):
        return None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _due(score: float) -> float:
    """BullMQ keeps milliseconds times 4096 plus a counter."""
    return float(score) / 0x1000 / 1000


def _about(data: str | None, video_id: str) -> bool:
    # Reading the JSON of thousands takes long; most do not hold the id at all.
    if data is None or video_id not in data:
        return False
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(parsed, dict) and parsed.get("videoId") == video_id


async def _awaited(work: Any) -> Any:
    return await work


@cache
def _bull(settings: Settings, _pid: int) -> Bull:
    return Bull(settings)


def bull(settings: Settings) -> Bull:
    """This process's queue; a fork gets its own.

    Raises:
        ServiceDown: no Redis is configured, or it does not answer.
    """
    try:
        return _bull(settings, os.getpid())
    except redis.RedisError as error:
        raise ServiceDown(f"the queue at {url(settings)} does not answer: {error}") from None
