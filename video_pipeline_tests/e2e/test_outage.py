"""Redis away in mid-encode, for everybody or for one worker: it costs time and nothing else."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest

from video_pipeline.execution.tags import VIDEO_TAG
from video_pipeline_tests import topologies
from video_pipeline_tests.e2e.conftest import addresses
from video_pipeline_tests.processes import command, encoders, environment, processes, run, started, wait_for
from video_pipeline_tests.proxy import Proxy
from video_pipeline_tests.topologies import Topology

pytestmark = pytest.mark.e2e
AWAY_SECONDS = 30.0


@pytest.fixture
def long_clip(make_clip: Any) -> Path:
    """Takes some seconds to encode."""
    path: Path = make_clip("long.mp4", seconds=20, size="960x540")
    return path


@pytest.fixture
def topology(tmp_path: Path) -> Iterator[Topology]:
    """A server of its own, which a test may kill."""
    with topologies.running("plain", tmp_path) as found:
        yield found


def encoder_of(home: Path) -> psutil.Process:
    (found, *_) = wait_for(lambda: encoders(processes(home)), 60)
    return found


def runs(home: Path, video_id: str) -> list[str]:
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        return sorted(run.status.value for run in instance.get_runs(dg.RunsFilter(tags={VIDEO_TAG: video_id})))


def stopped(process: psutil.Process) -> bool:
    return bool(process.status() == psutil.STATUS_STOPPED)


@pytest.mark.parametrize("how", ["killed", pytest.param("silent", marks=pytest.mark.slow)])
def test_redis_away_for_30_s_in_mid_encode_costs_nothing_but_time(
    how: str, topology: Topology, tmp_path: Path, long_clip: Path, clip: Path
) -> None:
    """Killed it refuses, stopped it answers nothing."""
    home = tmp_path / "home"
    with started(home, "up", **topology.variables) as process:
        addresses(home, process)
        arguments = ["submit", str(long_clip), "--video-id", "patient", "--preset", "web", "--wait", "--json"]
        waiting = subprocess.Popen(
            command(*arguments), env=environment(home, **topology.variables), stdout=subprocess.PIPE, text=True
        )
        try:
            encoder = encoder_of(home)
            (server,) = topology.servers
            if how == "killed":
                server.process.kill()
                server.process.wait()
            else:
                server.process.send_signal(signal.SIGSTOP)
            left = time.monotonic()
            wait_for(lambda: stopped(encoder), 20)
            used = encoder.cpu_times()
            wait_for(lambda: time.monotonic() - left > AWAY_SECONDS, AWAY_SECONDS + 5)
            assert stopped(encoder)
            assert encoder.cpu_times() == used
            if how == "killed":
                topology.again(server)
            else:
                server.process.send_signal(signal.SIGCONT)
            wait_for(lambda: not stopped(encoder), 20)
            assert encoder_of(home) == encoder
            out, _ = waiting.communicate(timeout=120)
        finally:
            waiting.kill()
            waiting.wait()
        assert waiting.returncode == 0
        job = _job(topology, "patient")
        # Celery too is connected again.
        next_one = run(home, "submit", clip, "--video-id", "next", "--preset", "draft", "--wait", **topology.variables)
        assert next_one.returncode == 0, next_one.stderr
        process.terminate()
        assert process.wait(30) == 0
    assert runs(home, "patient") == ["SUCCESS"]
    assert job.get("atm", "1") == "1"
    assert (home / "store" / json.loads(out)["release"]).is_dir()


def test_a_worker_that_alone_is_cut_off_loses_its_run_and_publishes_nothing(
    topology: Topology, tmp_path: Path, long_clip: Path
) -> None:
    home = tmp_path / "home"
    port = int(topology.url.rsplit(":", 1)[1].split("/")[0])
    one = {"VIDEO_PIPELINE_WORKER_SLOTS": "1"}
    with Proxy(port) as proxy, started(home, "up", **topology.variables, **one) as process:
        addresses(home, process)
        through = {"VIDEO_PIPELINE_REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0"}
        with (home / "logs" / "worker-2.log").open("w") as log:
            worker = subprocess.Popen(
                command("worker"), env=environment(home, **through, **one), stdout=log, stderr=log
            )
        try:
            wait_for(lambda: _workers(home, topology) == 2)
            for video in ("one", "two"):
                run(home, "submit", long_clip, "--video-id", video, "--preset", "draft", **topology.variables)
            # The slower one: it is encoded twice.
            (encoder, *_) = wait_for(lambda: encoders(psutil.Process(worker.pid).children(recursive=True)))
            proxy.cut()
            wait_for(lambda: stopped(encoder), 20)
            wait_for(lambda: all((home / "store/videos" / v / "current.json").exists() for v in ("one", "two")), 120)
            assert stopped(encoder), "it was not published by the one that is cut off"
            proxy.mend()
            wait_for(lambda: not encoder.is_running() or encoder.status() == psutil.STATUS_ZOMBIE, 30)
            wait_for(lambda: len(_ended(topology, "completed")) == 2, 30)
            assert wait_for(lambda: _workers(home, topology) == 2, 60), "it takes runs again"
        finally:
            worker.kill()
            worker.wait()
        assert _ended(topology, "failed") == []
        process.terminate()
        assert process.wait(30) == 0
    assert sorted((runs(home, "one"), runs(home, "two"))) == [["FAILURE", "SUCCESS"], ["SUCCESS"]]
    for video in ("one", "two"):
        pointer = json.loads((home / "store/videos" / video / "current.json").read_text())
        assert pointer["sequence"] == 1, "published once"


def _workers(home: Path, topology: Topology) -> int:
    return len(json.loads(run(home, "status", "--json", **topology.variables).stdout)["workers"])


def _ended(topology: Topology, state: str) -> list[str]:
    found: list[str] = topology.client.zrange(f"bull:video-intake:{state}", 0, -1)
    return found


def _job(topology: Topology, video_id: str) -> dict[str, str]:
    connection = topology.client
    for job_id in (*_ended(topology, "completed"), *_ended(topology, "failed")):
        found: dict[str, str] = connection.hgetall(f"bull:video-intake:{job_id}")
        if json.loads(found["data"])["videoId"] == video_id:
            return found
    raise AssertionError(f"no job of {video_id} has ended")
