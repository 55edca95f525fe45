"""The jobs we hold: how the reconciler takes them, keeps them and ends them. BullMQ calls them active.

A held job is locked with a token that lies in Redis, so that any process can settle it. BullMQ's lock is not our
liveness: it is long, and set again by any tick; its check for stalled jobs is never run.
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
from dataclasses import dataclass
from random import random
from typing import Any

import redis
from bullmq import Job as BullJob
from bullmq import UnrecoverableError

from video_pipeline.connection import async_client
from video_pipeline.intake import backoff
from video_pipeline.intake.bull import Bull, of_a_job
from video_pipeline.intake.ledger import Claim
from video_pipeline.intake.readable import ReadingWorker, job_of, scripts_stumble

LOCK_MS = 10 * 60 * 1000
KEPT_STACKTRACES = 10
PROMOTED = 1000
"""Jobs at a time."""

# BullMQ can only take the next job. This takes a certain one, wherever it waits, also from a paused queue.
_TAKE = """
local from = redis.call('LREM', KEYS[2], 1, ARGV[1]) == 1 and 'waiting'
  or redis.call('LREM', KEYS[3], 1, ARGV[1]) == 1 and 'paused'
  or redis.call('ZREM', KEYS[4], ARGV[1]) == 1 and 'prioritized'
  or redis.call('ZREM', KEYS[5], ARGV[1]) == 1 and 'delayed'
if not from then return 0 end
redis.call('LPUSH', KEYS[6], ARGV[1])
redis.call('SET', KEYS[7], ARGV[2], 'PX', ARGV[3])
redis.call('HSET', KEYS[1], 'delay', 0)
redis.call('XADD', KEYS[8], '*', 'event', 'active', 'jobId', ARGV[1], 'prev', from)
return 1
"""


@dataclass(frozen=True)
class Held:
    """An active job with our lock. Without a claim, we died between taking and claiming it."""

    job: BullJob
    claim: Claim | None

    @property
    def job_id(self) -> str:
        return str(self.job.id)


class Active:
    """What we hold of one queue."""

    def __init__(self, bull: Bull) -> None:
        self.bull, self.ledger = bull, bull.ledger
        self._settings, self._loop = bull.settings, bull.loop
        self._next_delayed = 0.0
        self._loop.run(self._open())

    async def _open(self) -> None:
        options: dict[str, Any] = {"connection": self.bull.connection, "prefix": self._settings.queue_prefix}
        options |= {"autorun": False, "lockDuration": LOCK_MS}
        self.worker = ReadingWorker(self._settings.queue, None, options)
        # Under the name that BullMQ for Node looks for, so that its dashboards find a worker present.
        name = base64.b64encode(self._settings.queue.encode()).decode()
        self._waiting = async_client(self._settings, name=f"{self._settings.queue_prefix}:{name}")

    def close(self) -> None:
        """Closes its own connection; that of the queue stays."""
        self._loop.run(self._waiting.aclose())

    # --- taking

    def held(self) -> list[Held]:
        """Active jobs that are ours, in the order they were taken, their locks set again."""
        server, key, token = self.ledger.redis, self.bull.key, self.ledger.token
        # BullMQ puts what was taken last in front.
        ids = [str(job_id) for job_id in server.lrange(key("active"), 0, -1)][::-1]
        claims = self.ledger.claims()
        gone = set(claims) - set(ids)
        if gone:
            self.ledger.forget(*gone)
        with server.pipeline(transaction=False) as pipe:
            for job_id in ids:
                pipe.get(key(job_id, "lock"))
                pipe.hgetall(key(job_id))
            answers = [of_a_job(answer) for answer in pipe.execute(raise_on_error=False)]
        # Without a lock it is nobody's: its holder died, or it is ours and nobody looked for ten minutes.
        found = zip(ids, answers[::2], answers[1::2], strict=True)
        ours = [(job_id, raw) for job_id, lock, raw in found if lock in (token, None) and raw]
        with server.pipeline(transaction=False) as pipe:
            for job_id, raw in ours:
                pipe.set(key(job_id, "lock"), token, px=LOCK_MS)
                for name in scripts_stumble(raw):
                    pipe.hdel(key(job_id), name)
            pipe.execute()
        jobs = [job_of(self.bull.queue, raw, job_id) for job_id, raw in ours]
        return [Held(job, claims.get(str(job.id))) for job in jobs]

    def take(self, most: int, most_bulk: int) -> list[BullJob]:
        """Up to `most` jobs in BullMQ's order, and not more than `most_bulk` of them bulk work."""
        taken: list[BullJob] = self._loop.run(self._take(most, most_bulk))
        return taken

    async def _take(self, most: int, most_bulk: int) -> list[BullJob]:
        taken: list[BullJob] = []
        while len(taken) < most and (most_bulk > 0 or await self._others_wait()):
            self.worker.blockUntil = 0  # an answer without a time leaves the last one standing
            job = await self.worker.moveToActive(self.ledger.token)
            self._next_delayed = self.worker.blockUntil / 1000
            if job is None:
                break
            taken.append(job)
            most_bulk -= self.is_bulk(job)
        return taken

    async def _others_wait(self) -> bool:
        """Whether the next job is no bulk work: those without priority come first, then by priority."""
        await self._promote()
        connection = self.bull.connection
        if await connection.llen(self.bull.key("wait")):
            return True
        first = await connection.zrange(self.bull.key("prioritized"), 0, 0, withscores=True)
        return bool(first) and int(first[0][1]) >> 32 < self._settings.bulk_priority

    async def _promote(self) -> None:
        """Lets delayed jobs that are due take their place, as BullMQ does when it takes the next job, whatever that
        is."""
        connection, delayed = self.bull.connection, self.bull.key("delayed")
        # A score is milliseconds times 4096 plus a counter.
        due = (round(time.time() * 1000) + 1) * 0x1000 - 1
        for job_id in await connection.zrangebyscore(delayed, 0, due, start=0, num=PROMOTED):
            # What BullMQ raises of a job that is not delayed any more, and Redis of what is none.
            with contextlib.suppress(TypeError, redis.ResponseError):
                await self.bull.queue.backend.promote(job_id)
        first = await connection.zrange(delayed, 0, 0, withscores=True)
        self._next_delayed = first[0][1] / 0x1000 / 1000 if first else 0.0

    def is_bulk(self, job: BullJob) -> bool:
        return int(job.priority or 0) >= self._settings.bulk_priority

    def take_this(self, job_id: str) -> bool:
        """Takes one job out of its turn; False if it does not wait."""
        key = self.bull.key
        places = (key(name) for name in ("wait", "paused", "prioritized", "delayed", "active"))
        keys = [key(job_id), *places, key(job_id, "lock"), key("events")]
        return bool(self.ledger.redis.eval(_TAKE, len(keys), *keys, job_id, self.ledger.token, LOCK_MS))

    def wait(self, seconds: float, *, for_jobs: bool) -> None:
        """Until somebody wakes us, a request comes over the control queue or, if wanted, a job may have come."""
        self._loop.run(self._wait(seconds, for_jobs), timeout=seconds + 15)

    async def _wait(self, seconds: float, for_jobs: bool) -> None:
        wake, marker = self.ledger.keys.wake, self.bull.key("marker")
        control = self.bull.control_key("marker")
        if for_jobs and self._next_delayed:
            left = self._next_delayed - time.time()
            if left <= 0:  # it is due: worth a look at once, and one only
                self._next_delayed = 0.0
                return
            seconds = min(seconds, left)
        found = await self._waiting.bzpopmin([wake, control, *([marker] if for_jobs else [])], max(0.01, seconds))
        # A marker taken here is not lost: whoever waits looks at everything afterwards.
        if found and found[0] == wake:
            await self._waiting.delete(wake)
        elif found and found[0] == marker:
            self._next_delayed = float(found[2]) / 1000

    # --- ending

    def complete(self, job: BullJob, value: dict[str, Any]) -> None:
        """Ends a job well."""
        self._loop.run(job.moveToCompleted(value, self.ledger.token, False))
        self._forget(job)

    def fail(self, job: BullJob, reason: str, error: dict[str, Any], *, final: bool) -> float | None:
        """Fails an attempt.

        Args:
            reason: BullMQ's failedReason, for people.
            error: the same for programs: part of the progress, and as JSON the last entry of the stacktrace.
            final: leaves no further attempt.

        Returns:
            When the next attempt begins, seconds since 1970; None if there is none.
        """
        self._tell(job, error)
        wait_ms = backoff.retry_ms(job.opts.get("backoff"), job.attemptsMade + 1, random())
        job.opts["backoff"] = {"type": "fixed", "delay": wait_ms} if wait_ms else None
        job.opts["attempts"] = int(job.opts.get("attempts") or 0)
        self._loop.run(
            job.moveToFailed(UnrecoverableError(reason) if final else RuntimeError(reason), self.ledger.token, False)
        )
        self._forget(job)
        return self.bull.due(str(job.id))

    def postpone(self, job: BullJob, seconds: float, reason: str, error: dict[str, Any] | None = None) -> float:
        """Back into the queue for later; counts no attempt. Returns when it comes back, seconds since 1970."""
        if error is not None:
            self._tell(job, error)
        due, now = time.time() + seconds, round(time.time() * 1000)
        how = {"skipAttempt": True, "fieldsToUpdate": _failure_fields(job, reason)}
        work = job.backend.moveToDelayed(str(job.id), now, round(seconds * 1000), self.ledger.token, how)
        self._loop.run(work)
        self.ledger.forget(str(job.id))
        return due

    def _tell(self, job: BullJob, error: dict[str, Any]) -> None:
        nothing = {"stage": "", "fraction": 0.0, "percent": 0.0}
        progress = job.progress if isinstance(job.progress, dict) else nothing
        self.bull.progress(str(job.id), {**progress, "error": error})
        job.stacktrace = [*job.stacktrace, json.dumps(error)][-KEPT_STACKTRACES:]
        job.updateStacktrace = lambda: None  # it would add that of this process

    def _forget(self, job: BullJob) -> None:
        self.ledger.forget(str(job.id))
        self.ledger.forget_postponed(str(job.id))

    def write_data(self, job: BullJob, data: dict[str, Any]) -> None:
        async def write() -> None:
            await job.updateData(data)

        self._loop.run(write())


def _failure_fields(job: BullJob, reason: str) -> dict[str, str]:
    return {"failedReason": reason, "stacktrace": json.dumps(job.stacktrace)}
