"""A whole Redis Cluster away and back, with the clients that were there before: as with any other Redis."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import redis
from dagster._core.launcher import WorkerStatus

from video_pipeline import settings as settings_module
from video_pipeline.connection import client
from video_pipeline.errors import ServiceDown
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.launcher import VideoRunLauncher
from video_pipeline.execution.running import executing
from video_pipeline.execution.slots import Announcement, slots
from video_pipeline.execution.watch import RunWatch
from video_pipeline.settings import Settings
from video_pipeline_tests import topologies
from video_pipeline_tests.processes import wait_for
from video_pipeline_tests.topologies import Topology


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with topologies.running("cluster", tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def ours(topology: Topology, tmp_path: Path) -> Settings:
    own = {"key_prefix": f"{{{uuid.uuid4().hex[:8]}}}", "broker_url": "redis://127.0.0.1:1", "worker_slots": 3}
    return settings_module.load(home=tmp_path, redis_url=topology.url, **topology.settings, **own)


def serves(settings: Settings) -> bool:
    try:
        return bool(client(settings).set(f"{settings.key_prefix}:x", "1"))
    except redis.RedisError:
        return False


@contextmanager
def away(topology: Topology, settings: Settings) -> Iterator[None]:
    assert serves(settings)
    for server in topology.servers:
        server.process.kill()
        server.process.wait()
    try:
        yield
    finally:
        for server in list(topology.servers):
            topology.again(server)
        wait_for(lambda: serves(settings))


def test_commands_and_pipelines_say_so(topology: Topology, ours: Settings) -> None:
    pipe: Any = client(ours).pipeline()
    with away(topology, ours):
        with pytest.raises(redis.RedisError):
            client(ours).get("x")
        with pytest.raises(redis.RedisError):
            pipe.set("x", "1").execute()
    assert pipe.set("x", "1").execute() == [True]


def test_a_worker_is_announced_again(topology: Topology, ours: Settings) -> None:
    announcement = Announcement(ours)
    announcement.start()
    wait_for(lambda: slots(ours) == 3)
    with away(topology, ours):
        with pytest.raises(ServiceDown):
            slots(ours)
        for _ in range(2):  # the second time it has failed to tell
            announcement._look.set()
            wait_for(lambda: not announcement._look.is_set())
    client(ours).delete(Keys(ours).workers)
    wait_for(lambda: slots(ours) == 3)
    announcement.stop()
    assert slots(ours) == 0


def test_a_worker_leaves_meanwhile(topology: Topology, ours: Settings) -> None:
    told: list[int] = []
    announcement = Announcement(ours, on_drain=lambda: told.append(1))
    announcement.start()
    wait_for(lambda: slots(ours) == 3)
    with away(topology, ours):
        announcement.drain()
        wait_for(lambda: told)
        announcement.stop()


def test_nobody_is_dead_meanwhile_or_a_moment_later(
    topology: Topology, ours: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ours.environment().items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        launcher = VideoRunLauncher()
        launcher.register_instance(instance)
        run = instance.add_run(dg.DagsterRun("process_video", str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED))
        with away(topology, ours):
            assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
        found = launcher.check_run_worker_health(run)
        assert (found.status, found.msg) == (WorkerStatus.RUNNING, "Redis was away a moment ago")


def test_a_run_ends_meanwhile(topology: Topology, ours: Settings) -> None:
    with ExitStack() as outage:
        with RunWatch(ours, "r"), executing(ours, "here:1", "r"):
            outage.enter_context(away(topology, ours))
        with executing(ours, "here:1", "another"):
            pass
