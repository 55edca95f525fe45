"""What we do to jobs we hold, on a real server, looked at through its keys and through BullMQ's own client."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any

import pytest
import redis

from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import Bull
from video_pipeline.intake.ledger import Claim
from video_pipeline.settings import Settings
from video_pipeline_tests.processes import wait_for

DATA = {"schemaVersion": 1, "source": "/a.mp4"}
ERROR = {"class": "transient", "code": "stalled", "message": "a hiccup", "runId": "r", "attempt": 1}


def fields(queue: Bull, server: redis.Redis, job_id: str) -> dict[str, Any]:
    found: Any = server.hgetall(queue.key(job_id))
    return dict(found)


def take(active: Active, most: int = 10, most_bulk: int = 10) -> list[str]:
    return [str(job.id) for job in active.take(most, most_bulk)]


def test_priorities_then_order_of_arrival(active: Active, queue: Bull) -> None:
    late = queue.add(DATA, priority=5)
    first, second = queue.add(DATA), queue.add(DATA)
    urgent = queue.add(DATA, priority=1)
    # BullMQ: jobs without a priority go before those with one, then 1, 2, ...
    assert take(active) == [first, second, urgent, late]
    assert take(active) == []


def test_bulk_work_leaves_slots_to_others(active: Active, queue: Bull) -> None:
    bulk = [queue.add(DATA, priority=priority) for priority in (10, 10, 50)]
    assert take(active, 3, 1) == bulk[:1]
    assert take(active, 2, 0) == []
    urgent, plain = queue.add(DATA, priority=9), queue.add(DATA)
    assert take(active, 2, 0) == [plain, urgent]
    assert take(active, 3, 3) == bulk[1:]


def test_a_taken_job_is_ours_for_any_process(
    active: Active, queue: Bull, queue_settings: Settings, server: redis.Redis
) -> None:
    job_id = queue.add(DATA)
    active.take(1, 1)
    queue.ledger.remember(job_id, Claim(number=queue.ledger.claim_number(), video_id="v", request=1))
    server.delete(queue.key(job_id, "lock"))  # as after ten minutes of nobody looking
    other_bull = Bull(queue_settings)
    other = Active(other_bull)
    (held,) = other.held()
    assert (held.job_id, held.claim and held.claim.video_id) == (job_id, "v")
    assert server.get(queue.key(job_id, "lock")) == queue.token
    other.complete(held.job, {"releaseId": "r"})
    assert fields(queue, server, job_id)["returnvalue"] == '{"releaseId":"r"}'
    assert active.held() == []
    assert queue.ledger.claims() == {}
    other.close()
    other_bull.close()


def test_a_job_of_another_consumer_is_left_alone(active: Active, queue: Bull, server: redis.Redis) -> None:
    job_id = queue.add(DATA)
    active.take(1, 1)
    server.set(queue.key(job_id, "lock"), "somebody-else")
    assert active.held() == []


def test_a_job_that_nobody_holds_any_more_is_adopted(active: Active, queue: Bull, server: redis.Redis) -> None:
    job_id = queue.add(DATA)
    active.take(1, 1)  # killed here, before a claim was written; ten minutes later the lock is gone
    server.delete(queue.key(job_id, "lock"))
    (held,) = active.held()
    assert (held.job_id, held.claim) == (job_id, None)


def test_a_failed_attempt_comes_back_and_a_final_one_does_not(active: Active, queue: Bull, server: redis.Redis) -> None:
    job_id = queue.add(DATA, attempts=3)
    (job,) = active.take(1, 1)
    before = time.time()
    due = active.fail(job, "transient: a hiccup", ERROR, final=False)
    assert queue.state(job_id) == "delayed"
    # 5 s, up to half of it taken off.
    assert due is not None
    assert 2.4 < due - before < 6
    found = fields(queue, server, job_id)
    assert found["failedReason"] == "transient: a hiccup"
    assert json.loads(found["progress"])["error"] == ERROR
    assert json.loads(json.loads(found["stacktrace"])[-1]) == ERROR
    assert active.take_this(job_id)
    (held,) = active.held()
    assert active.fail(held.job, "permanent: no", {**ERROR, "class": "permanent"}, final=True) is None
    assert queue.state(job_id) == "failed"
    assert fields(queue, server, job_id)["atm"] == "2"
    assert len(json.loads(fields(queue, server, job_id)["stacktrace"])) == 2


@pytest.mark.parametrize(
    ("backoff", "least", "most"), [(60_000, 59, 61), ({"type": "exponential", "delay": 60_000}, 59, 61), (None, 2, 6)]
)
def test_the_producers_backoff_counts(active: Active, queue: Bull, backoff: Any, least: float, most: float) -> None:
    queue.add(DATA, attempts=3)
    (job,) = active.take(1, 1)
    job.opts["backoff"] = backoff
    due = active.fail(job, "transient: x", ERROR, final=False)
    assert due is not None
    assert least < due - time.time() < most


def test_putting_off_counts_no_attempt(active: Active, queue: Bull, server: redis.Redis) -> None:
    job_id = queue.add(DATA, attempts=1)
    (job,) = active.take(1, 1)
    due = active.postpone(job, 60, "dependency: no space left", ERROR)
    assert queue.state(job_id) == "delayed"
    assert queue.due(job_id) == pytest.approx(due, abs=0.1)
    found = fields(queue, server, job_id)
    assert found.get("atm", "0") == "0"
    assert found["failedReason"] == "dependency: no space left"
    assert queue.counts()["delayed"] == 1


def waits(active: Active, *, for_jobs: bool) -> threading.Thread:
    thread = threading.Thread(target=lambda: active.wait(20, for_jobs=for_jobs))
    thread.start()
    return thread


@pytest.mark.parametrize("why", ["job", "wake", "control"])
def test_waiting_ends_with_whatever_happens(active: Active, queue: Bull, why: str) -> None:
    thread = waits(active, for_jobs=True)
    if why == "job":
        queue.add(DATA)
    elif why == "wake":
        queue.ledger.wake("a run")
    else:
        queue.redis.zadd(queue.control_key("marker"), {"0": 0})
    thread.join(10)
    assert not thread.is_alive()
    assert not queue.redis.exists(queue.ledger.keys.wake)


def test_waiting_ends_when_a_delayed_job_is_due(active: Active, queue: Bull) -> None:
    job_id = queue.add(DATA)
    (job,) = active.take(1, 1)
    active.postpone(job, 0.6, "x")
    assert take(active) == []
    active.wait(20, for_jobs=True)
    wait_for(lambda: take(active) == [job_id], 10)


def test_without_a_free_slot_new_jobs_wake_nobody(active: Active, queue: Bull) -> None:
    queue.add(DATA)
    started = time.monotonic()
    active.wait(0.5, for_jobs=False)
    assert time.monotonic() - started >= 0.4


def delay(active: Active, seconds: float) -> float:
    """Puts the one job off; returns when it is due."""
    (job,) = active.take(1, 1)
    due = active.postpone(job, seconds, "x")
    assert take(active) == []
    return due


@pytest.mark.parametrize("how", ["removed", "paused"])
def test_a_delayed_job_that_nobody_can_take_keeps_nobody_awake(active: Active, queue: Bull, how: str) -> None:
    job_id = queue.add(DATA)
    due = delay(active, 0.4)
    if how == "removed":
        queue.loop.run(queue.queue.remove(job_id))
    else:
        queue.pause(True)
    wait_for(lambda: time.time() > due)
    for _ in range(5):  # what came meanwhile wakes once
        assert take(active) == []
        active.wait(0.05, for_jobs=True)
    assert take(active) == []
    started = time.monotonic()
    active.wait(0.5, for_jobs=True)
    assert time.monotonic() - started >= 0.4


def test_while_bulk_work_has_its_slots_others_come_back_and_bulk_work_does_not(active: Active, queue: Bull) -> None:
    other = queue.add(DATA)
    due = delay(active, 0.2)
    bulk = queue.add(DATA, priority=10)
    wait_for(lambda: time.time() > due)
    assert take(active, 1, 0) == [other]
    due = delay(active, 0.2)
    wait_for(lambda: time.time() > due)
    assert take(active, 1, 0) == []
    assert take(active, 1, 1) == [bulk]


@pytest.mark.parametrize("place", ["waiting", "prioritized", "delayed", "paused"])
def test_a_certain_job_is_taken_from_wherever_it_waits(active: Active, queue: Bull, place: str) -> None:
    others = [queue.add(DATA) for _ in range(2)]
    job_id = queue.add(DATA, priority=3 if place == "prioritized" else 0)
    if place == "delayed":
        jobs = active.take(3, 3)
        active.postpone(jobs[2], 60, "x")
    if place == "paused":
        queue.pause(True)
    assert active.take_this(job_id)
    assert queue.state(job_id) == "active"
    assert job_id in [held.job_id for held in active.held()]
    assert not active.take_this(job_id), "it does not wait any more"
    assert not active.take_this("no-such-job")
    queue.pause(False)
    assert place == "delayed" or take(active) == others


def test_dashboards_find_a_worker(active: Active, queue: Bull, server: redis.Redis) -> None:
    thread = waits(active, for_jobs=True)
    name = f"{queue.settings.queue_prefix}:{base64.b64encode(queue.settings.queue.encode()).decode()}"
    # On a Cluster it has another connection, that to ask for the nodes.
    wait_for(lambda: name in [client["name"] for client in server.client_list()], 10)
    queue.ledger.wake("end")
    thread.join(10)
