"""Starting before Redis does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from video_pipeline import settings
from video_pipeline.connection.waiting import wait_for_redis
from video_pipeline.errors import ServiceDown
from video_pipeline_tests import topologies
from video_pipeline_tests.processes import run, started, wait_for

NOWHERE = "redis://user:hidden@127.0.0.1:1/0"


def test_it_returns_when_redis_comes_and_has_said_so_once(tmp_path: Path) -> None:
    said: list[str] = []
    with topologies.running("plain", tmp_path) as topology:
        ours = settings.load(home=tmp_path, redis_url=topology.url)
        (server,) = topology.servers
        server.process.kill()
        server.process.wait()

        def say(text: str) -> None:
            said.append(text)
            topology.again(server)

        wait_for_redis(ours, 20, say)
    (sentence,) = said
    assert sentence.startswith(f"waiting up to 20 s for Redis at {topology.url}: ")


def test_there_is_a_limit(tmp_path: Path) -> None:
    ours = settings.load(home=tmp_path, redis_url=NOWHERE)
    with pytest.raises(ServiceDown, match=r"^Redis at redis://127\.0\.0\.1:1/0 does not answer: ") as caught:
        wait_for_redis(ours, 0.1)
    assert "hidden" not in str(caught.value)


def test_a_wrong_password_is_not_waited_for(tmp_path: Path) -> None:
    with topologies.running("password", tmp_path) as topology:
        ours = settings.load(home=tmp_path, redis_url=topology.url.replace("p%40ss", "wrong"))
        began = time.monotonic()
        with pytest.raises(ServiceDown, match="refuses us") as caught:
            wait_for_redis(ours, 60)
    assert time.monotonic() - began < 30
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("what", ["up", "worker"])
def test_programs_wait_with_one_message_and_a_limit(what: str, tmp_path: Path) -> None:
    done = run(tmp_path / "home", what, VIDEO_PIPELINE_REDIS_URL=NOWHERE, VIDEO_PIPELINE_REDIS_WAIT_SECONDS="1")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith("waiting up to 1 s for Redis at redis://127.0.0.1:1/0: ")
    (error,) = done.stderr.splitlines()
    assert "redis://127.0.0.1:1/0 does not answer within 1 s (VIDEO_PIPELINE_REDIS_WAIT_SECONDS)" in error
    assert "hidden" not in done.stdout + done.stderr


@pytest.mark.parametrize("what", [("status",), ("submit", "/etc/hostname"), ("cancel", "x"), ("pause",)])
def test_commands_wait_a_moment_only(what: tuple[str, ...], tmp_path: Path) -> None:
    done = run(tmp_path / "home", *what, VIDEO_PIPELINE_REDIS_URL=NOWHERE)
    assert done.returncode == 1
    (error,) = done.stderr.splitlines()
    assert "Redis at redis://127.0.0.1:1/0 does not answer: " in error
    assert "hidden" not in error


def test_a_wrong_address_is_one_sentence(tmp_path: Path) -> None:
    for what in ("up", "worker", "status"):
        done = run(tmp_path / "home", what, VIDEO_PIPELINE_REDIS_URL="http://u:hidden@h")
        assert done.returncode == 2
        (error,) = done.stderr.splitlines()
        assert "VIDEO_PIPELINE_REDIS_URL: the scheme 'http'" in error
        assert "hidden" not in error


def test_a_cluster_needs_a_broker_besides(tmp_path: Path) -> None:
    own = {"VIDEO_PIPELINE_REDIS_URL": "redis+cluster://127.0.0.1:1", "VIDEO_PIPELINE_QUEUE_PREFIX": "{bull}"}
    for what in ("up", "worker"):
        done = run(tmp_path / "home", what, **own)
        assert done.returncode == 2
        (error,) = done.stderr.splitlines()
        assert "VIDEO_PIPELINE_BROKER_URL: needed beside a Redis Cluster, which Celery cannot use" in error


def test_a_worker_that_was_there_first_begins_when_redis_comes(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with topologies.running("plain", tmp_path) as topology:
        (server,) = topology.servers
        server.process.kill()
        server.process.wait()
        with started(home, "worker", **topology.variables) as worker:
            assert worker.stdout is not None
            line = worker.stdout.readline()
            assert "waiting up to 60 s for Redis" in line, worker.communicate()
            topology.again(server)
            wait_for(lambda: topology.answers() and topology.client.zcard("{video}:workers"))
