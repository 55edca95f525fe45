"""Redis: one pool per process for blocking calls, one for BullMQ's asyncio client, and both have a limit."""

from __future__ import annotations

import atexit
import contextlib
import os
from functools import cache
from typing import Any

import redis
import redis.asyncio

from video_pipeline.connection.address import Address, redis_address
from video_pipeline.connection.loop import LoopThread, loop
from video_pipeline.connection.pools import make_async_cluster, make_async_pool, make_client
from video_pipeline.errors import ServiceDown
from video_pipeline.settings import Settings

__all__ = ["LoopThread", "async_client", "client", "loop", "one_node", "url"]

END_SECONDS = 1.0
NAMED = 2
"""Connections of a client with a name: one that waits, and one beside it."""


def url(settings: Settings) -> str:
    """Where Redis is, for people: no password is in it.

    Raises:
        ServiceDown: no Redis is configured.
        RequestError: the address cannot be used.
    """
    return str(redis_address(settings))


def client(settings: Settings) -> redis.Redis:
    """This process's client for blocking calls.

    Raises:
        ServiceDown, RequestError: as `url`.
        redis.RedisError: a Cluster cannot be reached; others say so with the first call.
    """
    found: redis.Redis = _client(redis_address(settings), _half(settings), os.getpid())
    return found


@cache
def _client(address: Address, connections: int, _pid: int) -> Any:
    return make_client(address, connections)


def async_client(settings: Settings, *, name: str | None = None) -> redis.asyncio.Redis:
    """A client for the loop of `LoopThread`; make it there.

    Args:
        name: for connections of its own that the server shows under this name (CLIENT LIST), which `aclose` closes.
            Without, it is one more user of this process's connections, and `aclose` closes none.
    """
    address = redis_address(settings)
    if name is not None:
        if address.kind == "cluster":
            named: Any = make_async_cluster(address, NAMED, name)
            return named  # type: ignore[no-any-return]
        return redis.asyncio.Redis.from_pool(make_async_pool(address, NAMED, name))
    # The other half, but for those with a name.
    shared = _shared(address, max(1, settings.redis_connections - _half(settings) - NAMED), os.getpid())
    return shared if address.kind == "cluster" else redis.asyncio.Redis(connection_pool=shared)


@cache
def _shared(address: Address, connections: int, _pid: int) -> Any:
    make = make_async_cluster if address.kind == "cluster" else make_async_pool
    shared = make(address, connections, None)
    atexit.register(_disconnect, shared, os.getpid())
    return shared


def _disconnect(shared: Any, pid: int) -> None:
    """At the process' end; a fork leaves those of its parent alone."""
    if os.getpid() == pid:
        with contextlib.suppress(ServiceDown):
            loop().run(shared.disconnect(), END_SECONDS)


def _half(settings: Settings) -> int:
    return settings.redis_connections // 2


def one_node(connection: redis.Redis, key: str) -> dict[str, Any]:
    """Arguments that send a command about no key, such as TIME, to the server that holds this one."""
    node_of = getattr(connection, "get_node_from_key", None)  # a Cluster's client has it
    return {"target_nodes": node_of(key)} if node_of else {}
