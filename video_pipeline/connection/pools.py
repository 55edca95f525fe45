"""Clients for an address: as many connections as allowed and no more; whoever wants another one waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from video_pipeline.connection.address import Address

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 5.0
"""A server that is stopped or cut off answers nothing: nobody waits longer than this for it."""
WAIT_ANSWER_SECONDS = 10.0
"""Of asyncio's clients: a wait inside an answer takes up to five seconds."""
SENTINEL_SECONDS = 1.0
"""A Sentinel that is gone is one of several."""
POOL_SECONDS = 20.0
"""How long to wait for one of the pool's connections."""
CLUSTER_TRIES = 1
"""A second one with the Cluster's new layout, if a node is gone."""


class _SentinelPool(redis.sentinel.SentinelConnectionPool, redis.BlockingConnectionPool):
    pass


class _AsyncSentinelPool(redis.asyncio.sentinel.SentinelConnectionPool, redis.asyncio.BlockingConnectionPool):
    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        if inuse_connections:  # redis-py forgets those to the Sentinels
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()


@contextmanager
def _as_redis_error() -> Iterator[None]:
    """A Cluster without a reachable node, or with a part of it gone, is no `redis.RedisError` in redis-py, which looks
    up the layout anew in the middle of a command."""
    try:
        yield
    except RedisClusterException as error:
        raise redis.ConnectionError(str(error)) from None


class Cluster(redis.RedisCluster):
    """Raises `redis.RedisError` whenever it cannot be reached, as clients of other kinds do."""

    def __init__(self, **options: Any) -> None:
        with _as_redis_error():
            super().__init__(**options)

    def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        with _as_redis_error():
            return super().execute_command(*args, **kwargs)  # type: ignore[no-untyped-call]

    def pipeline(self, *args: Any, **kwargs: Any) -> Any:
        found = super().pipeline(*args, **kwargs)  # type: ignore[no-untyped-call]
        found.execute = _as_redis_error()(found.execute)
        return found


class AsyncCluster(redis.asyncio.RedisCluster):
    """redis-py's raises where its other pools wait. One that is shared stays open when one of its users closes it."""

    def __init__(self, connections: int, *, shared: bool, **options: Any) -> None:
        super().__init__(max_connections=connections, **options)
        self._room, self._shared = asyncio.Semaphore(connections), shared

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        async with self._room:
            with _as_redis_error():
                return await super().execute_command(*args, **kwargs)

    async def aclose(self) -> None:
        if not self._shared:
            await self.disconnect()

    async def disconnect(self) -> None:
        await super().aclose()


def make_client(address: Address, connections: int) -> Any:
    """A blocking client; `connections` are its most, on a Cluster to each node."""
    options = _options(address, ANSWER_SECONDS)
    if address.kind == "cluster":
        first, *others = address.nodes
        return Cluster(
            # Only with a URL it takes the class of the nodes' pools.
            url=_url(address, first),
            startup_nodes=[redis.cluster.ClusterNode(*node) for node in others],  # type: ignore[no-untyped-call]
            connection_pool_class=redis.BlockingConnectionPool,
            max_connections=connections,
            timeout=POOL_SECONDS,
            retry=Retry(NoBackoff(), CLUSTER_TRIES),
            **options,
        )
    # A call that fails says so at once: whoever called knows what to do, and when to try again.
    pooled = {**options, "max_connections": connections, "timeout": POOL_SECONDS, "retry": Retry(NoBackoff(), 0)}
    if address.kind == "sentinel":
        sentinels = redis.sentinel.Sentinel(
            list(address.nodes), sentinel_kwargs=_to_sentinels(address, Retry(NoBackoff(), 0))
        )  # type: ignore[no-untyped-call]
        pool: Any = _SentinelPool(address.service, sentinels, ssl=address.tls, **pooled)  # type: ignore[no-untyped-call]
    else:
        tcp: Any = redis.SSLConnection if address.tls else redis.Connection
        kind = redis.UnixDomainSocketConnection if address.path else tcp
        pool = redis.BlockingConnectionPool(connection_class=kind, **_place(address), **pooled)  # type: ignore[no-untyped-call]
    return redis.Redis.from_pool(pool)


def make_async_cluster(address: Address, connections: int, name: str | None) -> AsyncCluster:
    return AsyncCluster(
        connections,
        shared=name is None,
        startup_nodes=[redis.asyncio.cluster.ClusterNode(*node) for node in address.nodes],
        ssl=address.tls,
        client_name=name,
        retry=AsyncRetry(NoBackoff(), CLUSTER_TRIES),
        **_options(address, WAIT_ANSWER_SECONDS),
    )


def make_async_pool(address: Address, connections: int, name: str | None) -> redis.asyncio.ConnectionPool:
    """For the one event loop of this process, and not for a Cluster."""
    pooled = {
        **_options(address, WAIT_ANSWER_SECONDS),
        "client_name": name,
        "max_connections": connections,
        "timeout": POOL_SECONDS,
        "retry": AsyncRetry(NoBackoff(), 0),
    }
    if address.kind == "sentinel":
        sentinels = redis.asyncio.sentinel.Sentinel(
            list(address.nodes), sentinel_kwargs=_to_sentinels(address, AsyncRetry(NoBackoff(), 0))
        )  # type: ignore[no-untyped-call]
        return _AsyncSentinelPool(address.service, sentinels, ssl=address.tls, **pooled)  # type: ignore[no-untyped-call]
    tcp: Any = redis.asyncio.SSLConnection if address.tls else redis.asyncio.Connection
    kind = redis.asyncio.UnixDomainSocketConnection if address.path else tcp
    return redis.asyncio.BlockingConnectionPool(connection_class=kind, **_place(address), **pooled)


def _options(address: Address, answer_seconds: float) -> dict[str, Any]:
    keepalive = {} if address.path else {"socket_keepalive": True}
    times = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": answer_seconds}
    # RESP3 brings notices of maintenance, and with them redis-py gives out connections without looking at them first.
    # Another client may write bytes that are no UTF-8; an answer must not be lost over that.
    text = {"decode_responses": True, "encoding_errors": "surrogateescape"}
    return {**text, "protocol": 2, **times, **keepalive, **dict(address.options)}


def _place(address: Address) -> dict[str, Any]:
    if address.path:
        return {"path": address.path}
    host, port = address.nodes[0]
    return {"host": host, "port": port}


def _to_sentinels(address: Address, retry: Retry | AsyncRetry) -> dict[str, Any]:
    times = {"socket_connect_timeout": SENTINEL_SECONDS, "socket_timeout": SENTINEL_SECONDS}
    # The next Sentinel is asked instead.
    own = {"decode_responses": True, "ssl": address.tls, "retry": retry}
    return {**own, **times, **dict(address.sentinel_options)}


def _url(address: Address, node: tuple[str, int]) -> str:
    host, port = node
    return f"redis{'s' if address.tls else ''}://{f'[{host}]' if ':' in host else host}:{port}"
