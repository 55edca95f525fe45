from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from video_pipeline.execution.slots import Announcement
from video_pipeline.intake import reconcile
from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import Bull
from video_pipeline.settings import Settings
from video_pipeline_tests.intake.ticking import World
from video_pipeline_tests.processes import wait_for
from video_pipeline_tests.topologies import KINDS, Topology


@pytest.fixture
def active(queue: Bull) -> Iterator[Active]:
    ours = Active(queue)
    yield ours
    ours.close()


@pytest.fixture
def server(topology: Topology) -> Any:
    """A plain client that knows nothing of ours."""
    return topology.client


EVERYWHERE = ("test_active", "test_bull", "test_ledger", "test_reconcile", "test_reconcile_runs")
"""What is tried on every kind of Redis, unless one is asked for."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = metafunc.config.getoption("--redis")
    if "queue_settings" in metafunc.fixturenames and metafunc.module.__name__.endswith(EVERYWHERE):
        kinds = list(KINDS) if asked == "plain" else [asked]
        metafunc.parametrize("topology", kinds, indirect=True, scope="session")


@pytest.fixture
def world(queue_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(reconcile, "POLL_SECONDS", 0.3)
    settings = queue_settings.model_copy(update={"worker_slots": 2, "min_free_gb": 0.0})
    announcement = Announcement(settings)
    announcement.start()
    with dg.DagsterInstance.ephemeral() as instance:
        found = World(settings, instance)
        wait_for(lambda: found.bull.redis.zcard(found.bull.ledger.keys.workers))
        yield found
        found.close()
    announcement.stop()
