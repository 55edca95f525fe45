from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import Bull
from video_pipeline.settings import Settings
from video_pipeline_tests.topologies import KINDS, Topology


@pytest.fixture
def queue(queue_settings: Settings) -> Iterator[Bull]:
    ours = Bull(queue_settings)
    yield ours
    ours.close()


@pytest.fixture
def active(queue: Bull) -> Iterator[Active]:
    ours = Active(queue)
    yield ours
    ours.close()


@pytest.fixture
def server(topology: Topology) -> Any:
    """A plain client that knows nothing of ours."""
    return topology.client


EVERYWHERE = ("test_active", "test_bull", "test_ledger", "test_reconcile")
"""What is tried on every kind of Redis, unless one is asked for."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = metafunc.config.getoption("--redis")
    if "queue_settings" in metafunc.fixturenames and metafunc.module.__name__.endswith(EVERYWHERE):
        kinds = list(KINDS) if asked == "plain" else [asked]
        metafunc.parametrize("topology", kinds, indirect=True, scope="session")
