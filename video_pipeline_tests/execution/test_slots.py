from __future__ import annotations

import json

import pytest

from video_pipeline.connection import client
from video_pipeline.errors import ServiceDown
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.slots import ANNOUNCE_TTL, Announcement, slots, workers
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


def test_without_redis_nobody_knows(queue_settings: Settings) -> None:
    with pytest.raises(ServiceDown):
        slots(queue_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
