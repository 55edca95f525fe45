"""The queue on a real server, looked at through its keys."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import redis

from video_pipeline.errors import RequestError, ServiceDown
from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import Bull, bull
from video_pipeline.settings import Settings

DATA = {"schemaVersion": 1, "source": "/a.mp4"}


def test_the_same_id_twice_is_one_job(queue: Bull, server: redis.Redis) -> None:
    assert queue.add(DATA, job_id="mine") == queue.add({**DATA, "title": "again"}, job_id="mine") == "mine"
    assert server.llen(queue.key("wait")) == 1
    job = queue.job("mine")
    assert job is not None
    assert job.data == DATA


def test_a_paused_queue_gives_nothing(queue: Bull, active: Active) -> None:
    job_id = queue.add(DATA)
    queue.pause(True)
    assert queue.paused()
    assert active.take(1, 1) == []
    queue.pause(False)
    assert not queue.paused()
    assert [job.id for job in active.take(1, 1)] == [job_id]


def test_jobs_are_found_by_video(queue: Bull) -> None:
    one = queue.add({**DATA, "videoId": "a"})
    two = queue.add({**DATA, "videoId": "a"}, priority=3)
    other = queue.add({**DATA, "videoId": "b", "title": "a"}, job_id="my-job")
    queue.add("no object at all: a")
    assert sorted(queue.find("a")) == sorted([one, two])
    assert queue.find("b") == [other]
    assert queue.find("c") == []


def test_cancel_means_the_video_of_this_id_else_the_job(queue: Bull) -> None:
    one = queue.add({**DATA, "videoId": "a"})
    numbered = queue.add({**DATA, "videoId": one})
    assert queue.cancel(one) == [numbered]
    assert queue.cancel(one, jobs_only=True) == [one]
    assert queue.cancel("a") == [one]
    assert queue.ledger.cancels() == {one, numbered}
    with pytest.raises(RequestError, match="no job of c waits or runs"):
        queue.cancel("c")


def test_thousands_of_waiting_jobs_are_searched(queue: Bull, server: redis.Redis) -> None:
    key = queue.key()
    with server.pipeline(transaction=False) as pipe:
        for number in range(2500):
            pipe.lpush(f"{key}:wait", str(number))
            pipe.hset(f"{key}:{number}", "data", json.dumps({**DATA, "videoId": f"v{number}"}))
        pipe.execute()
    assert queue.find("v2499") == ["2499"]
    assert queue.find("v24") == ["24"]


def test_when_a_delayed_job_comes_back(queue: Bull, active: Active) -> None:
    first, second = queue.add(DATA), queue.add(DATA)
    due = [active.postpone(job, seconds, "x") for job, seconds in zip(active.take(2, 2), (90, 30), strict=True)]
    assert list(queue.delayed(5)) == [second, first]
    assert queue.delayed(1)[second] == pytest.approx(due[1], abs=0.1)
    assert queue.due(first) == pytest.approx(time.time() + 90, abs=5)
    assert queue.due(queue.add(DATA)) is None


def test_progress_is_bullmqs_own(queue: Bull, server: redis.Redis) -> None:
    job_id = queue.add(DATA)
    queue.progress(job_id, {"stage": "source", "percent": 4.2})
    progress: Any = server.hget(queue.key(job_id), "progress")
    assert json.loads(progress)["percent"] == 4.2
    events: Any = server.xrange(queue.key("events"))
    assert [e["event"] for _, e in events if e["event"] == "progress"] == ["progress"]
    queue.progress("removed-meanwhile", {"percent": 1})


def test_no_server(queue_settings: Settings) -> None:
    with pytest.raises(ServiceDown, match=r"redis://127.0.0.1:1/0"):
        bull(queue_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))


def test_many_at_once_keep_their_order_and_their_ids(queue: Bull, active: Active) -> None:
    jobs = {f"job-{n}": {**DATA, "videoId": f"v{n}"} for n in range(5)}
    queue.add_many(jobs, attempts=2)
    queue.add_many({**jobs, "job-5": DATA})
    taken = active.take(10, 10)
    assert [job.id for job in taken] == [*jobs, "job-5"]
    assert taken[0].opts["attempts"] == 2
