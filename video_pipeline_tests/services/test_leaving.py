"""A worker process that is told to leave: real Celery, real signals, and messages in its queue."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dagster_celery.config import TASK_EXECUTE_JOB_NAME

from video_pipeline.execution import celery_app
from video_pipeline.execution.slots import Worker, drain, workers
from video_pipeline.settings import Settings
from video_pipeline_tests.processes import command, wait_for


@pytest.fixture
def ours(queue_settings: Settings) -> Settings:
    """With a broker that no other test uses."""
    url = str(queue_settings.redis_url).rsplit("/", 1)[0]
    return queue_settings.model_copy(update={"broker_url": f"{url}/7", "worker_slots": 1})


@contextmanager
def worker(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command("worker"), env=settings.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        wait_for(lambda: announced(settings, process))
        yield process
    finally:
        process.kill()
        process.wait()


def announced(settings: Settings, process: subprocess.Popen[bytes]) -> Worker | None:
    return next((one for one in workers(settings) if one.name.endswith(f":{process.pid}")), None)


def draining(settings: Settings, process: subprocess.Popen[bytes]) -> bool:
    one = announced(settings, process)
    return one is not None and one.draining


def by_name(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    one = announced(settings, process)
    assert one is not None
    drain(settings, one.name)


def by_term(_: Settings, process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)


def by_hangup(_: Settings, process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGHUP)


def launch(settings: Settings, times: int) -> None:
    """A message as for a run; what is in it cannot be executed, but a worker finds that out only after it took it."""
    app = celery_app.make(settings)
    for _ in range(times):
        app.send_task(TASK_EXECUTE_JOB_NAME, args=[{}], queue=celery_app.QUEUE)
    app.close()


def taken(log: Path) -> int:
    return len(re.findall(rf"Task {TASK_EXECUTE_JOB_NAME}\[.*\] received", log.read_text()))


@pytest.mark.parametrize("tell", [by_name, by_term, by_hangup])
def test_it_withdraws_first_and_ends_well(
    tell: Callable[[Settings, subprocess.Popen[bytes]], None], ours: Settings, tmp_path: Path
) -> None:
    with worker(ours, tmp_path / "log") as process:
        tell(ours, process)
        wait_for(lambda: draining(ours, process))
        assert process.poll() is None
        assert process.wait(30) == 0
        assert workers(ours) == [], "its end is told"


def test_a_run_that_was_launched_for_it_is_still_taken(ours: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with worker(ours, log) as process:
        process.terminate()
        wait_for(lambda: "Canceling queue" in log.read_text())
        launch(ours, 2)
        assert process.wait(30) == 0
    assert taken(log) == 2


def test_what_another_worker_can_take_is_left_to_it(ours: Settings, tmp_path: Path) -> None:
    stays, goes = tmp_path / "stays", tmp_path / "goes"
    with worker(ours, stays), worker(ours, goes) as leaving:
        leaving.terminate()
        wait_for(lambda: "Canceling queue" in goes.read_text())
        launch(ours, 10)
        assert leaving.wait(30) == 0
        wait_for(lambda: taken(stays) == 10)
    assert taken(goes) == 0


def test_who_says_it_twice_does_not_want_to_wait(ours: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with worker(ours, log) as process:
        process.terminate()
        wait_for(lambda: "Canceling queue" in log.read_text())
        process.terminate()
        process.wait(30)
    assert "Cold shutdown" in log.read_text()
