"""The broker's address as Celery gets it: a task goes through every kind of Redis that Celery can use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from video_pipeline import settings
from video_pipeline.errors import RequestError
from video_pipeline.execution import celery_app
from video_pipeline.execution.broker import broker
from video_pipeline_tests import topologies
from video_pipeline_tests.topologies import PASSWORD, Topology


@pytest.fixture(params=[kind for kind in topologies.KINDS if kind != "cluster"])
def topology(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Topology]:
    with topologies.running(request.param, tmp_path) as found:
        yield found


@pytest.mark.parametrize("named", [False, True], ids=["beside the queue", "of its own"])
def test_a_message_goes_through(named: bool, topology: Topology, tmp_path: Path) -> None:
    ours = settings.load(home=tmp_path, redis_url=topology.url)
    if named:
        ours = ours.model_copy(update={"redis_url": "redis://127.0.0.1:1", "broker_url": topology.url})
    got: list[Any] = []
    with celery_app.make(ours) as app:
        app.send_task("work", args=["to do"], queue="here")
        with app.connection_for_read() as connection:
            assert PASSWORD not in connection.as_uri()
            with connection.Consumer(_queue(app), callbacks=[lambda body, message: got.append(body)], accept=["json"]):
                connection.drain_events(timeout=20)
    assert got[0][0] == ["to do"]


def _queue(app: Any) -> Any:
    return app.amqp.queues["here"]


def test_what_celery_cannot_use_is_refused(tmp_path: Path) -> None:
    ours = settings.load(home=tmp_path, redis_url="redis+cluster://h", queue_prefix="{bull}")
    with pytest.raises(RequestError, match="BROKER_URL: needed beside a Redis Cluster"):
        broker(ours)
    with pytest.raises(RequestError, match="BROKER_URL: Celery cannot use a Redis Cluster"):
        broker(ours.model_copy(update={"broker_url": "redis+cluster://h"}))
    with pytest.raises(RequestError, match="BROKER_URL: a port is a number"):
        broker(ours.model_copy(update={"broker_url": "redis://h:x"}))


def test_others_are_left_as_they_are(tmp_path: Path) -> None:
    ours = settings.load(home=tmp_path, broker_url="amqp://rabbit//")
    assert broker(ours) == ("amqp://rabbit//", {})
