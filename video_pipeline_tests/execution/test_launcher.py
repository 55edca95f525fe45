"""The launcher's judgement of runs, and that everything private in Dagster we lean on is still there."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._daemon import backfill, controller, sensor

from video_pipeline import connection, settings
from video_pipeline.connection import client
from video_pipeline.execution import launcher as launcher_module
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.launcher import VideoRunLauncher
from video_pipeline.execution.watch import RunWatch
from video_pipeline.settings import Settings
from video_pipeline_tests import topologies


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def launcher(
    queue_settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> VideoRunLauncher:
    for name, value in queue_settings.environment().items():
        monkeypatch.setenv(name, value)
    found = VideoRunLauncher()
    found.register_instance(instance)
    return found


def new_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun(job_name="process_video", run_id=str(uuid.uuid4()), status=status))


def test_a_run_lives_as_long_as_its_watch(
    launcher: VideoRunLauncher,
    instance: dg.DagsterInstance,
    queue_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launcher_module, "GRACE_SECONDS", 0.0)
    run = new_run(instance, dg.DagsterRunStatus.STARTED)
    with RunWatch(queue_settings, run.run_id):
        assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    found = launcher.check_run_worker_health(run)
    assert found.status == WorkerStatus.FAILED
    assert "no heartbeat" in (found.msg or "")
    # Its end woke the intake.
    assert client(queue_settings).zrange(Keys(queue_settings).wake, 0, -1) == [run.run_id]


def test_nobody_is_dead_while_redis_is_away_or_was_a_moment_ago(
    launcher: VideoRunLauncher, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(instance, dg.DagsterRunStatus.STARTED)
    with monkeypatch.context() as away:
        broken = launcher._settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
        away.setattr(launcher, "_settings", broken)
        assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    found = launcher.check_run_worker_health(run)
    assert (found.status, found.msg) == (WorkerStatus.RUNNING, "Redis was away a moment ago")


def test_nobody_is_dead_by_the_word_of_a_redis_that_stood_still(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heartbeats ran out while it did, and what was asked meanwhile is answered when it goes on."""
    monkeypatch.setattr(connection.pools, "ANSWER_SECONDS", 30.0)
    with topologies.running("plain", tmp_path) as topology:
        ours = settings.load(home=tmp_path, redis_url=topology.url)
        for name, value in ours.environment().items():
            monkeypatch.setenv(name, value)
        launcher = VideoRunLauncher()
        launcher.register_instance(instance)
        run = new_run(instance, dg.DagsterRunStatus.STARTED)
        monkeypatch.setattr(launcher_module, "GRACE_SECONDS", 0.0)
        assert launcher.check_run_worker_health(run).status == WorkerStatus.FAILED
        monkeypatch.setattr(launcher_module, "GRACE_SECONDS", 15.0)
        monkeypatch.setattr(launcher, "_redis_failed", time.monotonic() - 3600)
        (server,) = topology.servers
        server.process.send_signal(signal.SIGSTOP)
        goes_on = threading.Timer(1.5, server.process.send_signal, [signal.SIGCONT])
        goes_on.start()
        found = launcher.check_run_worker_health(run)
        goes_on.join()
    assert (found.status, found.msg) == (WorkerStatus.RUNNING, "Redis was away a moment ago")


def test_a_run_that_nobody_has_begun_is_cancelled_at_once(
    launcher: VideoRunLauncher, instance: dg.DagsterInstance
) -> None:
    run = new_run(instance, dg.DagsterRunStatus.STARTING)
    assert launcher.terminate(run.run_id)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status == dg.DagsterRunStatus.CANCELED
    assert not launcher.terminate(run.run_id), "it is over"


def test_a_running_run_is_asked_to_stop(
    launcher: VideoRunLauncher, instance: dg.DagsterInstance, queue_settings: Settings
) -> None:
    run = new_run(instance, dg.DagsterRunStatus.STARTED)
    assert launcher.terminate(run.run_id)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status == dg.DagsterRunStatus.CANCELING
    assert client(queue_settings).exists(Keys(queue_settings).cancel(run.run_id))


def test_the_watch_interrupts_a_run_that_shall_stop(queue_settings: Settings) -> None:
    client(queue_settings).set(Keys(queue_settings).cancel("r"), "1")
    watch = RunWatch(queue_settings, "r")
    with pytest.raises(KeyboardInterrupt), watch:
        watch._ended.wait(20)
    assert not client(queue_settings).exists(Keys(queue_settings).cancel("r"))


def test_dagsters_loops_can_still_be_shortened() -> None:
    assert isinstance(sensor.MIN_INTERVAL_LOOP_TIME, int | float)
    assert isinstance(controller.DEFAULT_DAEMON_INTERVAL_SECONDS, int | float)
    # It is read whenever the loop starts, not copied when the module is loaded.
    assert not hasattr(backfill, "DEFAULT_DAEMON_INTERVAL_SECONDS")
