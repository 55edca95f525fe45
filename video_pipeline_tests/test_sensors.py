"""The intake sensor as Dagster evaluates it: in any thread of the code server, also twice at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import dagster as dg
import pytest

from video_pipeline import sensors, settings
from video_pipeline.intake.bull import bull
from video_pipeline.resources import IndexResource
from video_pipeline.sensors import intake
from video_pipeline.settings import Settings
from video_pipeline_tests.processes import wait_for

Evaluated = dg.SensorResult | dg.SkipReason


@pytest.fixture
def ours(queue_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    for name, value in queue_settings.environment().items():
        monkeypatch.setenv(name, value)
    found = settings.load()
    yield found
    active, _ = sensors._held(found, os.getpid())
    active.close()
    bull(found).close()
    sensors._held.cache_clear()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def evaluate(instance: dg.DagsterInstance) -> str:
    """Why it starts nothing."""
    found = intake(dg.build_sensor_context(instance=instance), index=IndexResource())
    assert isinstance(found, dg.SkipReason)
    return str(found.skip_message)


def test_a_tick_beside_another_one_does_nothing(ours: Settings, instance: dg.DagsterInstance) -> None:
    """Both would have the lease, since it is the process's."""
    said: list[str] = []
    first = threading.Thread(target=lambda: said.append(evaluate(instance)))
    first.start()
    wait_for(lambda: any(client["cmd"] == "bzpopmin" for client in bull(ours).redis.client_list()))
    assert evaluate(instance) == "another tick is under way in this process"
    bull(ours).ledger.wake("the test")
    first.join(20)
    assert said == ["no job is taken: there is no worker with this code; start one, or restart those there are"]
    # And the next one is as the first.
    thread = threading.Thread(target=lambda: said.append(evaluate(instance)))
    thread.start()
    thread.join(20)
    assert said[1] == said[0]


def test_a_lease_that_somebody_else_has_is_respected(ours: Settings, instance: dg.DagsterInstance) -> None:
    assert bull(ours).ledger.lease("somebody else") is not None
    assert evaluate(instance).startswith("another daemon has the intake")
