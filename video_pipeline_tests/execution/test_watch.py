"""What becomes of a run while its worker cannot tell that it lives: real servers are killed, real children stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from video_pipeline import settings
from video_pipeline.connection import client
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.watch import RunWatch
from video_pipeline.media import process
from video_pipeline.media.gate import gate
from video_pipeline.settings import Settings
from video_pipeline_tests import topologies
from video_pipeline_tests.processes import wait_for
from video_pipeline_tests.topologies import Topology


@pytest.fixture
def topology(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Topology]:
    with topologies.running(getattr(request, "param", "plain"), tmp_path) as found:
        yield found


@pytest.fixture
def ours(topology: Topology, tmp_path: Path) -> Settings:
    return settings.load(home=tmp_path, redis_url=topology.url, **topology.settings)


class Child:
    """A child of `process.run` in a thread, as an encoder under a step."""

    def __init__(self) -> None:
        before = set(psutil.Process().children())
        self._thread = threading.Thread(target=process.run, args=(["sleep", "600"],), daemon=True)
        self._thread.start()
        self.process = wait_for(lambda: next(iter(self._sleeping() - before), None))

    def _sleeping(self) -> set[psutil.Process]:
        return {child for child in psutil.Process().children() if child.name() == "sleep"}

    @property
    def stopped(self) -> bool:
        return bool(self.process.status() == psutil.STATUS_STOPPED)

    def end(self) -> None:
        self.process.kill()
        self._thread.join(20)


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    # Its end is no failure here.
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    found = Child()
    yield found
    found.end()


def kill(topology: Topology) -> None:
    (server,) = topology.servers
    server.process.kill()
    server.process.wait()


def back(topology: Topology) -> None:
    (server,) = topology.servers
    topology.again(server)


@pytest.mark.parametrize("topology", ["plain", "cluster"], indirect=True)
def test_the_end_of_a_run_takes_its_heartbeat_and_wakes_the_intake(ours: Settings) -> None:
    keys, connection = Keys(ours), client(ours)
    with RunWatch(ours, "r"):
        assert connection.exists(keys.alive("r"))
    assert not connection.exists(keys.alive("r"))
    assert connection.zrange(keys.wake, 0, -1) == ["r"]


def test_a_held_run_goes_on_when_redis_is_back(ours: Settings, topology: Topology, child: Child) -> None:
    with RunWatch(ours, "r"):
        kill(topology)
        wait_for(lambda: child.stopped and gate.held, 20)
        back(topology)
        wait_for(lambda: not child.stopped, 20)
        assert not gate.held
        assert client(ours).exists(Keys(ours).alive("r"))
    assert not client(ours).exists(Keys(ours).alive("r"))


def test_a_run_that_was_given_up_meanwhile_is_interrupted_as_it_is(
    ours: Settings, topology: Topology, child: Child
) -> None:
    lost = threading.Event()

    def outlive() -> None:
        kill(topology)
        wait_for(lambda: child.stopped, 20)
        lost.set()
        back(topology)
        threading.Event().wait(30)

    with pytest.raises(KeyboardInterrupt), RunWatch(ours, "r", lost.is_set):
        outlive()
    assert not gate.held, "the next run is not held"


def test_a_run_whose_fate_cannot_be_looked_up_stays_held(ours: Settings, topology: Topology, child: Child) -> None:
    asked: list[bool] = []

    def over() -> bool:
        asked.append(True)
        if len(asked) < 3:
            raise OSError("database is locked")
        return False

    with RunWatch(ours, "r", over):
        kill(topology)
        wait_for(lambda: child.stopped, 20)
        back(topology)
        wait_for(lambda: len(asked) == 2, 20)
        assert child.stopped
        wait_for(lambda: not child.stopped, 20)


def test_the_run_ends_well_while_redis_is_away(ours: Settings, topology: Topology) -> None:
    with RunWatch(ours, "r"):
        kill(topology)
        wait_for(lambda: gate.held, 20)
    assert not gate.held


def test_a_run_begins_when_redis_is_back(ours: Settings, topology: Topology) -> None:
    begun, seen = threading.Event(), threading.Event()

    def body() -> None:
        with RunWatch(ours, "r"):
            begun.set()
            seen.wait(20)

    kill(topology)
    thread = threading.Thread(target=body)
    thread.start()
    assert not begun.wait(1)
    back(topology)
    assert begun.wait(20)
    assert client(ours).exists(Keys(ours).alive("r"))
    seen.set()
    thread.join(20)


def test_a_redis_that_answers_nothing_is_away_too(ours: Settings, topology: Topology, child: Child) -> None:
    (server,) = topology.servers
    with RunWatch(ours, "r"):
        server.process.send_signal(signal.SIGSTOP)
        wait_for(lambda: child.stopped, 20)
        server.process.send_signal(signal.SIGCONT)
        wait_for(lambda: not child.stopped, 20)


def test_a_worker_alone_in_the_world_is_held_before_others_think_it_dead(ours: Settings, topology: Topology) -> None:
    """Its heartbeat is still there when it stops. It alone may not write."""
    other = topology.client
    with RunWatch(ours, "r"):
        other.execute_command("ACL", "SETUSER", "default", "-set")
        wait_for(lambda: gate.held, 20)
        # In milliseconds: gone is -2.
        assert 0 < other.pttl(Keys(ours).alive("r")) < 2000
        other.execute_command("ACL", "SETUSER", "default", "+set")
        wait_for(lambda: not gate.held, 20)
