"""How many connections a process opens, as the server counts them, and what becomes of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from video_pipeline import settings
from video_pipeline.connection import async_client, client, loop
from video_pipeline.errors import ServiceDown
from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import Bull
from video_pipeline.progress.redis import RedisReporter
from video_pipeline.settings import Settings
from video_pipeline_tests import topologies
from video_pipeline_tests.processes import wait_for
from video_pipeline_tests.topologies import KINDS, OBSERVER, Topology

MOST = 8
THREADS = 40
JUST_CLOSED = 4
"""A server may still count what the client has closed a moment ago."""


@pytest.fixture(params=KINDS)
def topology(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Topology]:
    """A server that only the test uses."""
    with topologies.running(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def ours(topology: Topology, tmp_path: Path) -> Settings:
    return settings.load(home=tmp_path, redis_url=topology.url, redis_connections=MOST, **topology.settings)


def connections(topology: Topology) -> int:
    """Of clients that are not the test's own, on the node that has most."""
    nodes = getattr(topology.client, "get_nodes", None)
    asked = [node.redis_connection for node in nodes()] if nodes else [topology.client]
    return max(sum(not _known(one["name"]) for one in server.client_list(_type="normal")) for server in asked)


def _known(name: str) -> bool:
    return name == OBSERVER or name.startswith("sentinel-")


def test_many_threads_share_few_connections(ours: Settings, topology: Topology) -> None:
    queue = Bull(ours)
    active = Active(queue)
    ids = [queue.add({"source": "/a.mp4"}) for _ in range(THREADS)]
    seen: list[int] = []
    ended = threading.Event()

    def count() -> None:
        while not ended.is_set():
            seen.append(connections(topology))

    def use(number: int) -> None:
        reporter = RedisReporter(ours, video_id=f"v{number}", run_id="r", job_id=ids[number])
        for n in range(10):
            client(ours).set(f"{{x}}:{number}", n)
            queue.state(ids[number])
            queue.job(ids[number])
            reporter.tell("source", n / 10, n)
            active.wait(0.01, for_jobs=False)
        reporter.flush()

    counting = threading.Thread(target=count)
    counting.start()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(use, range(THREADS)))
    ended.set()
    counting.join()
    active.close()
    queue.close()
    assert len(seen) > 3
    assert 2 <= max(seen) <= MOST + JUST_CLOSED


@pytest.mark.parametrize("topology", ["plain", "password", "unix"], indirect=True)
def test_a_name_is_there_again_after_the_server_was_away(ours: Settings, topology: Topology) -> None:
    async def ask() -> Any:
        return await named.get("{x}")

    async def make() -> Any:
        return async_client(ours, name="video:w")

    def named_ones() -> int:
        listed = topology.client.client_list()
        return sum(one["name"] == "video:w" for one in listed)

    named = loop().run(make())
    loop().run(ask())
    assert named_ones() == 1
    (server,) = topology.servers
    server.process.kill()
    server.process.wait()
    with pytest.raises(ServiceDown):
        loop().run(ask())
    topology.again(server)
    wait_for(topology.answers)
    loop().run(ask())
    assert named_ones() == 1
    loop().run(named.aclose())
    wait_for(lambda: named_ones() == 0)


def test_who_closes_a_shared_client_leaves_the_others_alone(ours: Settings) -> None:
    async def together() -> list[Any]:
        one, other = async_client(ours), async_client(ours)
        waiting = asyncio.ensure_future(other.blpop(["{x}:list"], timeout=5))
        await one.get("{x}:a")
        await one.aclose()
        await other.rpush("{x}:list", "value")
        return list(await waiting or [])

    assert loop().run(together()) == ["{x}:list", "value"]
