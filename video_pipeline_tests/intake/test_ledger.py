from __future__ import annotations

import time

import pytest
import redis

from video_pipeline.errors import ConflictError
from video_pipeline.intake.bull import Bull
from video_pipeline.intake.ledger import Claim


def test_one_reconciler_at_a_time(queue: Bull, server: redis.Redis) -> None:
    first = queue.ledger.lease("host-a:1")
    assert first is not None
    assert queue.ledger.lease("host-b:2") is None
    assert queue.ledger.lease("host-a:1") == first
    assert queue.ledger.lease("host-a:") is None, "not a part of a name"
    queue.ledger.keep("host-a:1", first)
    server.delete(queue.ledger.keys.lease)
    second = queue.ledger.lease("host-b:2")
    assert second is not None
    assert second > first
    with pytest.raises(ConflictError, match="taken the intake over"):
        queue.ledger.keep("host-a:1", first)


def test_claim_numbers_grow_even_if_the_counter_is_lost(queue: Bull, server: redis.Redis) -> None:
    numbers = [queue.ledger.claim_number() for _ in range(50)]
    assert numbers == sorted(set(numbers))
    time.sleep(0.01)  # a failover takes longer than these 50 milliseconds of numbers
    server.delete(queue.ledger.keys.claim_counter)
    assert queue.ledger.claim_number() > numbers[0] + 1
    server.set(queue.ledger.keys.claim_counter, 10**15)
    assert queue.ledger.claim_number() == 10**15 + 1, "also if the clock was set back"


def test_a_claim_is_kept_as_it_is(queue: Bull) -> None:
    claim = Claim(number=5, video_id="v", request=2, order=3, lost=1, bulk=True)
    queue.ledger.remember("7", claim)
    assert queue.ledger.claims() == {"7": claim}
    queue.ledger.forget("7", "8")
    assert queue.ledger.claims() == {}


def test_postponements_are_counted_until_the_job_gets_on(queue: Bull) -> None:
    assert [queue.ledger.postponed("7") for _ in range(3)] == [0, 1, 2]
    queue.ledger.forget_postponed("7")
    assert queue.ledger.postponed("7") == 0
