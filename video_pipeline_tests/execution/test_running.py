from __future__ import annotations

from typing import Any

from video_pipeline.connection import client
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.running import executed, executing
from video_pipeline.execution.watch import RunWatch
from video_pipeline.settings import Settings


def test_a_run_is_noted_while_it_is_executed(queue_settings: Settings) -> None:
    connection, keys = client(queue_settings), Keys(queue_settings)
    with RunWatch(queue_settings, "r"), executing(queue_settings, "host:1", "r"):
        assert executed(connection, keys) == {"r": "host:1"}
    assert executed(connection, keys) == {}
    assert not connection.exists(keys.running)


def test_the_run_of_a_killed_worker_is_swept_up(queue_settings: Settings) -> None:
    connection: Any = client(queue_settings)
    keys = Keys(queue_settings)
    connection.hset(keys.running, "lost", "dead:1")
    assert executed(connection, keys) == {}, "its heart does not beat"
    with RunWatch(queue_settings, "r"), executing(queue_settings, "host:1", "r"):
        assert connection.hgetall(keys.running) == {"r": "host:1"}


def test_a_run_does_not_mind_that_it_cannot_be_noted(queue_settings: Settings) -> None:
    deaf = queue_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    with executing(deaf, "host:1", "r"):
        pass
