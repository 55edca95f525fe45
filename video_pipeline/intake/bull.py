"""The queue: everything we do to BullMQ. Every method is plain and blocking."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from bullmq import Job as BullJob
from bullmq import Queue, UnrecoverableError, Worker

from video_pipeline.connection import async_client, loop, url
from video_pipeline.errors import ServiceDown
from video_pipeline.intake.ledger import Claim, Ledger
from video_pipeline.settings import Settings

LOCK_MS = 10 * 60 * 1000
"""BullMQ's lock is not our liveness: long, and set again by any tick."""
WAIT_SECONDS = 4
STATES = ("wait", "prioritized", "active", "delayed", "completed", "failed", "paused", "waiting-children")


@dataclass(frozen=True)
class Held:
    """An active job with our lock. Without a claim, we died between taking and claiming it."""

    job: BullJob
    claim: Claim | None


class Bull:
    """The intake queue. Make one with `bull`."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.ledger = settings, Ledger(settings)
        self._name, self._prefix = settings.queue, settings.queue_prefix
        self.redis, self.token = self.ledger.redis, self.ledger.token
        self._loop = loop()
        self._loop.run(self._open())

    async def _open(self) -> None:
        options = {"prefix": self._prefix}
        self._queue = Queue(self._name, {"connection": async_client(self.settings), **options})
        self._worker = Worker(
            self._name,
            None,
            {
                "connection": async_client(self.settings),
                **options,
                "autorun": False,
                "lockDuration": LOCK_MS,
                "drainDelay": WAIT_SECONDS,
            },
        )
        self._wake = async_client(self.settings)

    def close(self) -> None:
        """Closes its connections; those of `bull` live as long as their process."""
        self._loop.run(self._close())

    async def _close(self) -> None:
        await self._worker.close(force=True)
        await self._queue.close()
        await self._wake.aclose()

    def _key(self, *parts: str) -> str:
        return ":".join((self._prefix, self._name, *parts))

    # --- producers

    def add(self, data: dict[str, Any], *, priority: int = 0, attempts: int = 1, job_id: str | None = None) -> str:
        """Enqueues a job and returns its id."""
        options: dict[str, Any] = {
            "attempts": attempts,
            "backoff": {"type": "exponential", "delay": 5000, "jitter": 0.5},
        }
        options |= {"priority": priority} if priority else {}
        options |= {"jobId": job_id} if job_id else {}
        job = self._loop.run(self._queue.add("video", data, options))
        return str(job.id)

    def counts(self) -> dict[str, int]:
        """Jobs by state."""
        found: dict[str, int] = self._loop.run(self._queue.getJobCounts(*STATES))
        return found

    def job(self, job_id: str) -> BullJob | None:
        found: BullJob | None = self._loop.run(self._queue.getJob(job_id))
        return found

    def state(self, job_id: str) -> str:
        """BullMQ's state of a job: "waiting", "active", "completed", "failed", "unknown", ..."""
        return str(self._loop.run(self._state(job_id)))

    async def _state(self, job_id: str) -> Any:
        return await self._queue.getJobState(job_id)

    def find(self, wanted: str) -> list[str]:
        """Ids of the waiting or running jobs about the video of this id; without one, the job of this id."""
        jobs = self._loop.run(self._queue.getJobs(["active", "waiting", "prioritized", "delayed", "paused"]))
        about = [str(job.id) for job in jobs if isinstance(job.data, dict) and job.data.get("videoId") == wanted]
        return about or [str(job.id) for job in jobs if str(job.id) == wanted]

    # --- the reconciler

    def raise_to_head(self, job_id: str) -> bool:
        """Makes a waiting job the next one that is taken; BullMQ has no verb that fails it where it is. False if it
        does not wait any more."""
        return bool(self._loop.run(self._raise(job_id)))

    async def _raise(self, job_id: str) -> bool:
        state = await self._queue.getJobState(job_id)
        job = await self._queue.getJob(job_id)
        if job is None or state not in ("waiting", "prioritized", "delayed"):
            return False
        if state == "delayed":
            await job.promote()
        await job.changePriority({"priority": 0, "lifo": True})
        return True

    def held(self) -> list[Held]:
        """Active jobs that are ours, their locks set again where they had run out."""
        ids = [str(job_id) for job_id in self.redis.lrange(self._key("active"), 0, -1)]
        claims = self.ledger.claims()
        ours = []
        for job_id in ids:
            # Without a lock it is nobody's: its holder died, or it is ours and nobody looked for ten minutes.
            if self.redis.get(self._key(job_id, "lock")) not in (self.token, None):
                continue
            self.redis.set(self._key(job_id, "lock"), self.token, px=LOCK_MS)
            job = self.job(job_id)
            if job is not None:
                ours.append(Held(job, claims.get(job_id)))
        self.ledger.forget(*(set(claims) - set(ids)))
        return ours

    def take(self, most: int, seconds: float) -> list[BullJob]:
        """Up to `most` jobs in BullMQ's order; waits up to `seconds` for the first, or until a run has ended."""
        taken: list[BullJob] = self._loop.run(self._take(most, seconds), timeout=seconds + 15)
        return taken

    async def _take(self, most: int, seconds: float) -> list[BullJob]:
        taken: list[BullJob] = []
        while len(taken) < most and (job := await self._worker.moveToActive(self.token)):
            taken.append(job)
        if taken or seconds <= 0:
            return taken
        waits: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self._wake.blpop([self.ledger.keys.wake], timeout=seconds))
        ]
        if most > 0:
            self._worker.drained = True
            waits.append(asyncio.ensure_future(self._worker.getNextJob(self.token)))
        done, pending = await asyncio.wait(waits, timeout=seconds + 1, return_when=asyncio.FIRST_COMPLETED)
        # A marker lost by this does no harm: every tick looks at the queue itself first.
        for wait in pending:
            wait.cancel()
        results = await asyncio.gather(*pending, return_exceptions=True)
        self._worker.waiting = None
        if most > 0:
            next_job = waits[1].result() if waits[1] in done else None
            taken += [job for job in (next_job, *results) if isinstance(job, BullJob)]
        for wait in done:
            wait.result()  # a failed connection is an error, not an empty queue
        return taken

    def complete(self, job: BullJob, value: dict[str, Any]) -> None:
        """Ends a job well."""
        self._loop.run(job.moveToCompleted(value, self.token, False))
        self.ledger.forget(str(job.id))

    def fail(self, job: BullJob, message: str, *, final: bool) -> None:
        """Fails an attempt; `final` leaves none. BullMQ's backoff brings the job back otherwise."""
        self._loop.run(self._fail(job, UnrecoverableError(message) if final else RuntimeError(message)))
        self.ledger.forget(str(job.id))

    async def _fail(self, job: BullJob, error: Exception) -> None:
        job.opts.setdefault("stackTraceLimit", 0)  # it would be that of this process
        await job.moveToFailed(error, self.token, False)

    def give_back(self, job: BullJob, seconds: float) -> None:
        """Back into the queue for later; counts no attempt."""
        self._loop.run(job.moveToDelayed(round((time.time() + seconds) * 1000), self.token))
        self.ledger.forget(str(job.id))

    def write_data(self, job: BullJob, data: dict[str, Any]) -> None:
        self._loop.run(_awaited(job.updateData(data)))

    def progress(self, job_id: str, value: dict[str, Any]) -> None:
        """BullMQ's own progress event."""
        self._loop.run(self._progress(job_id, value))

    async def _progress(self, job_id: str, value: dict[str, Any]) -> None:
        job = await BullJob.fromId(self._queue, job_id)
        if job is not None:
            await job.updateProgress(value)


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
