"""Dagster's own daemon with our coordinator: which runs it launches, and in which order.

The slots are announced by the test and nobody executes what is launched, so that a run stays where the daemon left it.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.events import DagsterEvent
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.run_coordinator.base import SubmitRunContext
from dagster._core.storage.tags import PARTITION_NAME_TAG, PRIORITY_TAG

from video_pipeline.connection import client
from video_pipeline.execution.coordinator import BACKFILL_PRIORITY, SlotRunCoordinator
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.slots import Announcement
from video_pipeline.execution.tags import VIDEO_TAG
from video_pipeline.intake.runs import view
from video_pipeline.services import children
from video_pipeline.settings import PREFIX, PROJECT, Settings
from video_pipeline_tests import topologies
from video_pipeline_tests.processes import wait_for

LOWEST = str(-(2**21))
"""The tag of a run of the intake whose job has BullMQ's last priority."""
ORIGIN = JobPythonOrigin(
    "process_video", RepositoryPythonOrigin(sys.executable, ModuleCodePointer("video_pipeline.definitions", "defs"))
)
REMOTE = RemoteJobOrigin(
    RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("video_pipeline"), "__repository__"), "process_video"
)
Submit = Callable[..., str]


@pytest.fixture
def ours(queue_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A Dagster home as `up` makes it, but it loses patience with a run that does not start after two seconds."""
    config = yaml.safe_load((PROJECT / "dagster.yaml").read_text())
    config["run_monitoring"] |= {"start_timeout_seconds": 2, "poll_interval_seconds": 1}
    queue_settings.dagster_home.mkdir()
    (queue_settings.dagster_home / "dagster.yaml").write_text(yaml.safe_dump(config))
    for name, value in queue_settings.environment().items():
        monkeypatch.setenv(name, value)
    return queue_settings


@pytest.fixture
def instance(ours: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(ours.dagster_home)) as found:
        yield found


@pytest.fixture
def submit(instance: dg.DagsterInstance) -> Submit:
    """Submits a run of a video and returns its id."""

    def submit(video: str, **tags: str) -> str:
        given = {PARTITION_NAME_TAG: video, **{name.replace("_", "/", 1): value for name, value in tags.items()}}
        run = instance.add_run(
            dg.DagsterRun(
                job_name="process_video",
                run_id=str(uuid.uuid4()),
                tags=given,
                job_code_origin=ORIGIN,
                remote_job_origin=REMOTE,
            )
        )
        # No workspace: nothing in it is asked for.
        instance.run_coordinator.submit_run(SubmitRunContext(run, None))  # type: ignore[arg-type]
        return run.run_id

    return submit


@pytest.fixture
def daemon(ours: Settings, instance: dg.DagsterInstance) -> Iterator[Callable[[], None]]:
    """Starts the daemon."""
    begun: list[children.Child] = []

    def start() -> None:
        argv = [sys.executable, "-m", "video_pipeline.services.daemon", "run", "--empty-workspace"]
        begun.append(children.start("daemon", argv, environment=os.environ, logs=ours.home, cwd=ours.home))

    yield start
    children.stop(begun)


def announce(ours: Settings, count: int) -> None:
    member = Announcement(ours.model_copy(update={"worker_slots": count}))._member
    client(ours).delete(Keys(ours).workers)
    client(ours).zadd(Keys(ours).workers, {member: 2e9 + 1e9})


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def started(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING]))}


def end(instance: dg.DagsterInstance, run_id: str) -> None:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_canceled(run)


def in_order(instance: dg.DagsterInstance, count: int) -> list[str]:
    """The next runs that are launched one by one, each ended as soon as it is."""
    order = []
    for _ in range(count):
        (run_id,) = wait_for(lambda: started(instance), 30)
        order.append(run_id)
        end(instance, run_id)
    return order


@pytest.mark.parametrize(("count", "backfills"), [(0, 1), (1, 1), (4, 3)])
def test_the_limits_follow_the_slots(count: int, backfills: int, ours: Settings) -> None:
    if count:
        announce(ours, count)
    config = SlotRunCoordinator(dequeue_interval_seconds=1).get_run_queue_config()
    assert config.max_concurrent_runs == count
    assert config.tag_concurrency_limits == [
        {"key": "dagster/backfill", "limit": backfills},
        {"key": "dagster/partition", "value": {"applyLimitPerUniqueValue": True}, "limit": 1},
    ]


def test_every_run_says_which_video_it_is_about(instance: dg.DagsterInstance, submit: Submit) -> None:
    by_hand = instance.get_run_by_id(submit("harbour"))
    in_backfill = instance.get_run_by_id(submit("harbour", dagster_backfill="abc"))
    assert by_hand is not None
    assert in_backfill is not None
    assert by_hand.tags[VIDEO_TAG] == in_backfill.tags[VIDEO_TAG] == "harbour"
    assert PRIORITY_TAG not in by_hand.tags
    assert in_backfill.tags[PRIORITY_TAG] == str(BACKFILL_PRIORITY)
    chosen = instance.get_run_by_id(submit("harbour", dagster_backfill="abc", dagster_priority="3"))
    assert chosen is not None
    assert chosen.tags[PRIORITY_TAG] == "3", "somebody wants it so"


def test_runs_come_by_priority_and_backfills_last(
    ours: Settings, instance: dg.DagsterInstance, submit: Submit, daemon: Callable[[], None]
) -> None:
    backfill = [submit(f"old-{n}", dagster_backfill="abc") for n in range(2)]
    last = submit("last", dagster_priority=LOWEST)
    later = submit("later", dagster_priority="-5")
    by_hand = submit("by-hand")
    first = submit("first", dagster_priority="1")
    daemon()
    announce(ours, 1)
    assert in_order(instance, 6) == [first, by_hand, later, last, *backfill]


def test_two_runs_of_one_video_never_run_at_once(
    ours: Settings, instance: dg.DagsterInstance, submit: Submit, daemon: Callable[[], None]
) -> None:
    announce(ours, 4)
    same = [submit("same", dagster_from_ui="true"), submit("same", dagster_backfill="abc"), submit("same")]
    other = submit("other")
    daemon()
    assert wait_for(lambda: found if len(found := started(instance)) == 2 else None, 30) == {same[0], other}
    end(instance, other)
    end(instance, same[0])
    # Free slots are no reason.
    assert wait_for(lambda: started(instance), 30) == {same[2]}
    end(instance, same[2])
    assert wait_for(lambda: started(instance), 30) == {same[1]}


def test_a_backfill_leaves_a_slot(
    ours: Settings, instance: dg.DagsterInstance, submit: Submit, daemon: Callable[[], None]
) -> None:
    announce(ours, 3)
    backfill = [submit(f"old-{n}", dagster_backfill="abc") for n in range(5)]
    daemon()
    assert wait_for(lambda: found if len(found := started(instance)) == 2 else None, 30) == set(backfill[:2])
    new = submit("new", dagster_priority="-5")
    assert wait_for(lambda: found if len(found := started(instance)) == 3 else None, 30) == {*backfill[:2], new}


def test_a_run_that_waits_is_never_called_late(
    ours: Settings, instance: dg.DagsterInstance, submit: Submit, daemon: Callable[[], None]
) -> None:
    waiting = submit("waiting")
    launched = submit("launched")
    # Launched, but no worker takes it: that is what the timeout is for.
    instance.report_dagster_event(DagsterEvent("PIPELINE_STARTING", job_name="process_video"), run_id=launched)
    daemon()
    wait_for(lambda: status(instance, launched) == dg.DagsterRunStatus.FAILURE, 30)
    assert status(instance, waiting) == dg.DagsterRunStatus.QUEUED, "it waited longer than the other"
    run = instance.get_run_by_id(launched)
    assert run is not None
    found = view(instance, run)
    assert (found.error_class, found.error_code) == ("dependency", "not-started")
    assert found.error.endswith("Run timed out due to taking longer than 2 seconds to start.")
    announce(ours, 1)
    wait_for(lambda: status(instance, waiting) == dg.DagsterRunStatus.STARTING, 30)


def test_nothing_is_launched_while_the_broker_is_away(
    ours: Settings,
    instance: dg.DagsterInstance,
    submit: Submit,
    daemon: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = ours.home / "daemon.log"
    with topologies.running("plain", tmp_path) as broker:
        (server,) = broker.servers
        server.process.kill()
        server.process.wait()
        monkeypatch.setenv(f"{PREFIX}BROKER_URL", broker.url)
        announce(ours, 1)
        waiting = submit("waiting")
        daemon()
        wait_for(lambda: "no run is launched: the broker does not answer" in log.read_text() or started(instance))
        assert status(instance, waiting) == dg.DagsterRunStatus.QUEUED
        broker.again(server)
        wait_for(lambda: status(instance, waiting) == dg.DagsterRunStatus.STARTING, 30)
