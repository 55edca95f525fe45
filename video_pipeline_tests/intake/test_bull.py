"""The queue on a real server, looked at through its keys and through BullMQ's own client."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from video_pipeline.errors import ConflictError, ServiceDown
from video_pipeline.intake.bull import Bull, bull
from video_pipeline.intake.ledger import Claim
from video_pipeline.settings import Settings

DATA = {"schemaVersion": 1, "source": "/a.mp4"}


@pytest.fixture
def queue(queue_settings: Settings) -> Iterator[Bull]:
    ours = Bull(queue_settings)
    yield ours
    ours.close()


@pytest.fixture
def server(queue_settings: Settings) -> redis.Redis:
    assert queue_settings.redis_url
    return redis.Redis.from_url(queue_settings.redis_url, decode_responses=True)


def fields(queue: Bull, server: redis.Redis, job_id: str) -> dict[str, Any]:
    found: Any = server.hgetall(f"bull:{queue.settings.queue}:{job_id}")
    return dict(found)


def take(queue: Bull, most: int = 10) -> list[str]:
    return [str(job.id) for job in queue.take(most, 0)]


def test_priorities_then_order_of_arrival(queue: Bull) -> None:
    late = queue.add(DATA, priority=5)
    first, second = queue.add(DATA), queue.add(DATA)
    urgent = queue.add(DATA, priority=1)
    # BullMQ: jobs without a priority go before those with one, then 1, 2, ...
    assert take(queue) == [first, second, urgent, late]
    assert take(queue) == []


def test_a_taken_job_is_ours_for_any_process(queue: Bull, queue_settings: Settings, server: redis.Redis) -> None:
    job_id = queue.add(DATA)
    (job,) = queue.take(1, 0)
    queue.ledger.remember(job_id, Claim(number=queue.ledger.claim_number(), video_id="v", request=1))
    server.delete(f"bull:{queue_settings.queue}:{job_id}:lock")  # as after ten minutes of nobody looking
    other = Bull(queue_settings)
    (held,) = other.held()
    assert (str(held.job.id), held.claim and held.claim.video_id) == (job_id, "v")
    assert server.get(f"bull:{queue_settings.queue}:{job_id}:lock") == queue.token
    other.complete(held.job, {"releaseId": "r"})
    assert fields(queue, server, job_id)["returnvalue"] == '{"releaseId":"r"}'
    assert queue.held() == []
    assert job.id == held.job.id
    other.close()


def test_a_job_of_another_consumer_is_left_alone(queue: Bull, queue_settings: Settings, server: redis.Redis) -> None:
    job_id = queue.add(DATA)
    queue.take(1, 0)
    server.set(f"bull:{queue_settings.queue}:{job_id}:lock", "somebody-else")
    assert queue.held() == []


def test_a_job_that_nobody_holds_any_more_is_adopted(
    queue: Bull, queue_settings: Settings, server: redis.Redis
) -> None:
    job_id = queue.add(DATA)
    queue.take(1, 0)  # killed here, before a claim was written; ten minutes later the lock is gone
    server.delete(f"bull:{queue_settings.queue}:{job_id}:lock")
    (held,) = queue.held()
    assert (str(held.job.id), held.claim) == (job_id, None)


def test_a_failed_attempt_comes_back_and_a_final_one_does_not(queue: Bull, server: redis.Redis) -> None:
    job_id = queue.add(DATA, attempts=3)
    (job,) = queue.take(1, 0)
    queue.fail(job, "transient: a hiccup", final=False)
    assert queue.state(job_id) == "delayed"
    assert fields(queue, server, job_id)["failedReason"] == "transient: a hiccup"
    assert queue.raise_to_head(job_id)
    (job,) = queue.take(1, 0)
    queue.fail(job, "permanent: no", final=True)
    assert queue.state(job_id) == "failed"
    assert fields(queue, server, job_id)["atm"] == "2"


def test_giving_back_counts_no_attempt(queue: Bull, server: redis.Redis) -> None:
    job_id = queue.add(DATA, attempts=1)
    (job,) = queue.take(1, 0)
    queue.give_back(job, 60)
    assert queue.state(job_id) == "delayed"
    assert fields(queue, server, job_id).get("atm", "0") == "0"
    assert queue.counts()["delayed"] == 1


def test_waiting_ends_with_a_new_job(queue: Bull) -> None:
    started = time.monotonic()
    assert queue.take(1, 0.5) == []
    assert time.monotonic() - started >= 0.4
    job_id = queue.add(DATA)
    assert take(queue, 1) == [job_id]


def test_waiting_ends_with_an_ended_run(queue: Bull, server: redis.Redis) -> None:
    queue.ledger.cancel("99")  # as a run's end does: a marker in the same list
    started = time.monotonic()
    assert queue.take(0, 20) == []
    assert time.monotonic() - started < 10
    assert server.llen(queue.ledger.keys.wake) == 0


def test_a_raised_job_is_the_next(queue: Bull) -> None:
    ids = [queue.add(DATA) for _ in range(3)]
    low = queue.add(DATA, priority=9)
    assert queue.raise_to_head(low)
    assert take(queue) == [low, *ids]
    assert not queue.raise_to_head(low), "it does not wait any more"
    assert not queue.raise_to_head("no-such-job")


def test_jobs_are_found_by_video_and_by_id(queue: Bull) -> None:
    one = queue.add({**DATA, "videoId": "a"})
    two = queue.add({**DATA, "videoId": "a"}, priority=3)
    other = queue.add({**DATA, "videoId": "b"}, job_id="my-job")
    assert sorted(queue.find("a")) == sorted([one, two])
    assert queue.find("b") == queue.find("my-job") == [other]
    numbered = queue.add({**DATA, "videoId": one})
    assert queue.find(one) == [numbered], "the video of this id, not the job of the same number"
    assert queue.find("c") == []


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


def test_progress_is_bullmqs_own(queue: Bull, server: redis.Redis) -> None:
    job_id = queue.add(DATA)
    queue.progress(job_id, {"stage": "source", "percent": 4.2})
    assert json.loads(fields(queue, server, job_id)["progress"])["percent"] == 4.2
    events: Any = server.xrange(f"bull:{queue.settings.queue}:events")
    assert [e["event"] for _, e in events if e["event"] == "progress"] == ["progress"]


def test_no_server(queue_settings: Settings) -> None:
    with pytest.raises(ServiceDown, match=r"redis://127.0.0.1:1/0"):
        bull(queue_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
