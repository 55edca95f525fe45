"""What we remember beside BullMQ's queue, in Redis, so that any process can go on: claims, cancellations, who
reconciles, and the last word on each video."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

from video_pipeline.connection import client
from video_pipeline.errors import ConflictError
from video_pipeline.execution.keys import Keys
from video_pipeline.settings import Settings

LEASE_SECONDS = 30
"""Longer than any single call to Redis may take, so that a lease just renewed outlives the effect that follows."""
NOTE_SECONDS = 7 * 24 * 3600

_LEASE = """
local held = redis.call('HMGET', KEYS[1], 'owner', 'number')
if held[1] and held[1] ~= ARGV[1] then return false end
if not held[1] then
  held[2] = redis.call('INCR', KEYS[2])
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'number', held[2])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return tonumber(held[2])
"""


# Not only a counter: one that lost its last writes in a failover would give numbers that Dagster has seen.
_NUMBER = """
local now = redis.call('TIME')
local number = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') + 1, now[1] * 1000 + math.floor(now[2] / 1000))
redis.call('SET', KEYS[1], string.format('%.0f', number))
return string.format('%.0f', number)
"""


@dataclass(frozen=True)
class Claim:
    """What we hold of a job."""

    number: int
    """Grows with every claim of this queue: part of Dagster's run key, which must never repeat."""
    video_id: str
    request: int
    order: int = 0
    """The number of the job's first claim."""
    lost: int = 0
    """How often its run was lost."""
    bulk: bool = False
    """Its priority is that of bulk work."""

    def again(self, number: int, lost: int) -> Claim:
        """The same job for another run."""
        return replace(self, number=number, lost=lost)


class Ledger:
    def __init__(self, settings: Settings) -> None:
        self.keys = Keys(settings)
        # The client's types allow bytes and futures everywhere; ours decodes and waits.
        self.redis: Any = client(settings)
        self.redis.set(self.keys.token, f"dagster-{uuid.uuid4().hex}", nx=True)
        self.redis.set(self.keys.epoch, uuid.uuid4().hex[:8], nx=True)
        self.token = str(self.redis.get(self.keys.token))
        self.epoch = str(self.redis.get(self.keys.epoch))

    # --- claims

    def claim_number(self) -> int:
        """Larger than every number before."""
        return int(self.redis.eval(_NUMBER, 1, self.keys.claim_counter))

    def remember(self, job_id: str, claim: Claim) -> None:
        self.redis.hset(self.keys.claims, job_id, json.dumps(asdict(claim)))

    def forget(self, *job_ids: str) -> None:
        if job_ids:
            self.redis.hdel(self.keys.claims, *job_ids)

    def postponed(self, job_id: str) -> int:
        """Counts one more postponement; returns how many there were before."""
        count = int(self.redis.incr(self.keys.postponed(job_id)))
        self.redis.expire(self.keys.postponed(job_id), NOTE_SECONDS)
        return count - 1

    def forget_postponed(self, job_id: str) -> None:
        self.redis.delete(self.keys.postponed(job_id))

    def claims(self) -> dict[str, Claim]:
        """Job id to claim."""
        return {name: Claim(**json.loads(text)) for name, text in self.redis.hgetall(self.keys.claims).items()}

    # --- cancellation: a request is kept until it is done

    def cancel(self, job_id: str) -> None:
        """Asks the reconciler to cancel a job."""
        self.redis.sadd(self.keys.cancels, job_id)
        self.wake(job_id)

    def cancels(self) -> set[str]:
        """Jobs that shall be cancelled."""
        return set(self.redis.smembers(self.keys.cancels))

    def wake(self, why: str) -> None:
        """Ends the reconciler's waiting."""
        self.redis.zadd(self.keys.wake, {why: 0})

    def forget_cancel(self, job_id: str) -> None:
        self.redis.srem(self.keys.cancels, job_id)

    # --- one reconciler at a time

    def lease(self, owner: str) -> int | None:
        """Becomes or stays the one reconciler; returns the fencing number, None if somebody else is."""
        number = self.redis.eval(_LEASE, 2, self.keys.lease, f"{self.keys.lease}:count", owner, LEASE_SECONDS)
        return int(number) if number else None

    def keep(self, owner: str, number: int) -> None:
        """Renews the lease before an effect.

        Raises:
            ConflictError: it was lost; whoever has it now looks at everything anew.
        """
        if self.lease(owner) != number:
            raise ConflictError("another daemon has taken the intake over")

    # --- the last word on a video

    def note(self, video_id: str, **fields: str) -> None:
        """Sets fields of what `status` shows; "state" is queued, completed or failed; progress makes it running."""
        key = self.keys.video(video_id)
        self.redis.hset(key, mapping=fields)
        self.redis.expire(key, NOTE_SECONDS)

    def forget_notes(self, video_id: str) -> None:
        """A new job begins: nothing of the one before shall show."""
        self.redis.delete(self.keys.video(video_id))

    def notes(self, video_id: str) -> dict[str, str]:
        return dict(self.redis.hgetall(self.keys.video(video_id)))
