from __future__ import annotations

import json

import pytest

from video_pipeline.connection import client
from video_pipeline.errors import RequestError, ServiceDown
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.running import executing
from video_pipeline.execution.slots import ANNOUNCE_TTL, Announcement, Worker, drain, slots, workers
from video_pipeline.execution.version import CODE_VERSION
from video_pipeline.execution.watch import RunWatch
from video_pipeline.settings import Settings
from video_pipeline_tests.processes import wait_for


def test_a_worker_counts_from_its_announcement_to_its_end(queue_settings: Settings) -> None:
    ours = queue_settings.model_copy(update={"worker_slots": 3})
    assert slots(ours) == 0
    announcement = Announcement(ours)
    announcement.start()
    assert wait_for(lambda: slots(ours)) == 3
    announcement.stop()
    assert slots(ours) == 0


def test_a_worker_that_died_is_forgotten(queue_settings: Settings) -> None:
    connection, key = client(queue_settings), Keys(queue_settings).workers
    seconds, _ = connection.time()
    dead = json.dumps({"name": "gone:1", "slots": 8, "code": "x"})
    connection.zadd(key, {dead: seconds - 1})
    assert workers(queue_settings) == []
    assert connection.zcard(key) == 0


def test_a_worker_with_other_code_has_no_slot_for_us(queue_settings: Settings) -> None:
    connection, key = client(queue_settings), Keys(queue_settings).workers
    seconds, _ = connection.time()
    connection.zadd(key, {json.dumps({"name": "old:1", "slots": 8, "code": "older"}): seconds + ANNOUNCE_TTL})
    assert [worker.name for worker in workers(queue_settings)] == ["old:1"]
    assert slots(queue_settings) == 0


def announce(settings: Settings, name: str, count: int, code: str = CODE_VERSION) -> None:
    """A worker that is somewhere else."""
    connection = client(settings)
    member = json.dumps({"name": name, "slots": count, "code": code})
    connection.zadd(Keys(settings).workers, {member: connection.time()[0] + ANNOUNCE_TTL})


def test_workers_may_have_different_numbers_of_slots(queue_settings: Settings) -> None:
    announce(queue_settings, "here:1", 1)
    announce(queue_settings, "here:2", 4)
    assert slots(queue_settings) == 5


def test_a_draining_worker_has_no_slot_from_the_moment_it_is_told(queue_settings: Settings) -> None:
    announce(queue_settings, "stays:1", 2)
    announce(queue_settings, "goes:1", 3)
    assert drain(queue_settings, "goes:1") == Worker("goes:1", 3, CODE_VERSION)
    assert slots(queue_settings) == 2
    assert {worker.name: worker.draining for worker in workers(queue_settings)} == {"stays:1": False, "goes:1": True}


@pytest.mark.parametrize(
    ("there", "said"), [((), "there is none"), (("a:1",), "there is a:1"), (("b:2", "a:1"), "there are a:1, b:2")]
)
def test_a_worker_that_is_not_there_cannot_be_drained(
    there: tuple[str, ...], said: str, queue_settings: Settings
) -> None:
    for name in there:
        announce(queue_settings, name, 1)
    with pytest.raises(RequestError, match=f"no worker is called 'c:3'; {said}"):
        drain(queue_settings, "c:3")


@pytest.mark.parametrize("why", ["draining", "other code", "not announced"])
def test_what_is_still_executed_elsewhere_takes_no_slot_from_others(why: str, queue_settings: Settings) -> None:
    announce(queue_settings, "new:1", 1)
    if why != "not announced":
        announce(queue_settings, "old:1", 1, "older" if why == "other code" else CODE_VERSION)
    with RunWatch(queue_settings, "r"), executing(queue_settings, "old:1", "r"):
        if why == "draining":
            drain(queue_settings, "old:1")
        assert slots(queue_settings) == 2, "one that runs there, one that may start here"
        assert sum(worker.busy for worker in workers(queue_settings)) == (0 if why == "not announced" else 1)
    assert slots(queue_settings) == 1


def test_the_announced_worker_notices_and_tells_once(queue_settings: Settings) -> None:
    told: list[int] = []
    announcement = Announcement(queue_settings, on_drain=lambda: told.append(1))
    # Of an earlier worker with this process id.
    client(queue_settings).set(Keys(queue_settings).drain(announcement.name), "1")
    announcement.start()
    wait_for(lambda: slots(queue_settings))
    drain(queue_settings, announcement.name)
    wait_for(lambda: told)
    announcement.drain()
    announcement.stop()
    assert told == [1]
    assert workers(queue_settings) == []
    assert not client(queue_settings).exists(Keys(queue_settings).drain(announcement.name))


def test_a_worker_leaves_also_while_redis_is_away(queue_settings: Settings) -> None:
    told: list[int] = []
    deaf = queue_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    announcement = Announcement(deaf, on_drain=lambda: told.append(1))
    announcement.start()
    announcement.drain()
    wait_for(lambda: told)
    announcement.stop()


def test_without_redis_nobody_knows(queue_settings: Settings) -> None:
    with pytest.raises(ServiceDown):
        slots(queue_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
