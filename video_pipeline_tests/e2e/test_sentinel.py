"""A stack on a Redis that three Sentinels watch: the usual flows, and a primary that is killed in mid-job."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
import redis

from video_pipeline.execution.tags import JOB_TAG, VIDEO_TAG
from video_pipeline_tests import topologies
from video_pipeline_tests.e2e import jobs
from video_pipeline_tests.e2e.conftest import RunningStack, up
from video_pipeline_tests.e2e.test_cancel import test_the_slot_is_free_for_the_next
from video_pipeline_tests.processes import encoders, processes, wait_for
from video_pipeline_tests.topologies import PASSWORD, SENTINEL_PASSWORD

__all__ = ["test_the_slot_is_free_for_the_next"]

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    directory = tmp_path_factory.mktemp("sentinel")
    with (
        topologies.running("sentinel", directory) as topology,
        up(directory / "home", topology) as found,
    ):
        yield found


def test_a_failover_in_mid_job_costs_nothing_but_time(
    stack: RunningStack, long_clip: Path, instance: dg.DagsterInstance
) -> None:
    assert stack.topology is not None
    arguments: list[str | Path] = ["submit", long_clip, "--video-id", "failover", "--preset", "web", "--wait", "--json"]
    with stack.following(*arguments) as waiting:
        wait_for(lambda: encoders(processes(stack.home)), 60)
        # Asynchronous replication: what was written last may be lost.
        before = stack.topology.client.info("server")["tcp_port"]
        primary = next(server for server in stack.topology.servers if f"port {before}\n" in _config(server.log))
        primary.process.kill()
        wait_for(lambda: _primary(stack) not in (None, before), 60)
        assert encoders(processes(stack.home))
        out, err = waiting.communicate(timeout=180)
    assert waiting.returncode == 0, err
    (run,) = instance.get_runs(dg.RunsFilter(tags={VIDEO_TAG: "failover"}))
    assert run.status == dg.DagsterRunStatus.SUCCESS
    fields = jobs.fields(stack, run.tags[JOB_TAG])
    assert fields.get("atm", "1") == "1"
    assert json.loads(fields["progress"])["percent"] == 100
    pointer = json.loads((stack.settings.store / "videos" / "failover" / "current.json").read_text())
    assert pointer["sequence"] == 1, "published once"
    assert json.loads(out)["releaseId"] == pointer["releaseId"]
    # The old primary comes back as a replica, and everything goes on.
    stack.topology.again(primary)
    after = stack.command("submit", long_clip, "--video-id", "failover", "--preset", "web", "--wait", "--json")
    assert json.loads(after.stdout)["releaseId"] == pointer["releaseId"]


def test_a_killed_worker_costs_nothing_but_time(
    stack: RunningStack, make_clip: Callable[..., Path], instance: dg.DagsterInstance
) -> None:
    source = make_clip("survivor.mp4", seconds=32, size="960x540")
    arguments: list[str | Path] = ["submit", source, "--video-id", "survivor", "--preset", "draft", "--wait", "--json"]
    with stack.following(*arguments) as waiting:
        (encoder, *_) = wait_for(lambda: encoders(processes(stack.home)), 60)
        child = encoder.parent()
        assert child is not None
        child.kill()
        out, err = waiting.communicate(timeout=180)
    assert waiting.returncode == 0, err
    runs = instance.get_runs(dg.RunsFilter(tags={VIDEO_TAG: "survivor"}))
    assert sorted(run.status.value for run in runs) == ["FAILURE", "SUCCESS"]
    # A lost worker is not the video's fault.
    assert jobs.fields(stack, runs[0].tags[JOB_TAG]).get("atm", "1") == "1"
    assert (stack.settings.store / json.loads(out)["release"]).is_dir()


def _config(log: Path) -> str:
    return (log.parent / "redis.conf").read_text()


def _primary(stack: RunningStack) -> int | None:
    """The port of whoever takes writes now."""
    assert stack.topology is not None
    try:
        found: int = stack.topology.client.info("server")["tcp_port"]
    except redis.RedisError:
        return None
    return found


def test_no_password_is_shown(stack: RunningStack) -> None:
    """Not in what is printed, and not in any log."""
    shown = [stack.command("status").stdout, stack.command("status", "--json").stdout]
    shown += [path.read_text("utf-8", "replace") for path in (stack.home / "logs").iterdir()]
    shown += [" ".join(process.cmdline()) for process in _alive(stack)]
    for text in shown:
        assert PASSWORD not in text
        assert "p%40ss" not in text
        assert f"password={SENTINEL_PASSWORD}" not in text
    assert (stack.home / "run" / "stack.json").stat().st_mode & 0o077 == 0


def _alive(stack: RunningStack) -> Iterator[psutil.Process]:
    for process in processes(stack.home):
        if process.is_running():
            yield process
