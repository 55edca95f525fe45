"""The broker's address as Celery wants it, and whether the broker answers."""

from __future__ import annotations

import os
from functools import cache
from typing import Any
from urllib.parse import quote

import redis

from video_pipeline.connection.address import KINDS, Address, Node, parse, redis_address
from video_pipeline.connection.pools import CONNECT_SECONDS, SENTINEL_SECONDS, make_client
from video_pipeline.errors import RequestError, ServiceDown
from video_pipeline.settings import PREFIX, Settings

DATABASE = 1
"""Beside the queue, on the same server."""
ANSWER_SECONDS = 10.0
ASKING = 1
"""Connections of whoever asks whether it answers."""
HEALTH_SECONDS = 10
"""How often an idle connection is tried: a server that is cut off closes nothing."""


def broker(settings: Settings) -> tuple[str, dict[str, Any]]:
    """The broker's URL and the settings of Celery that go with it.

    Raises:
        ServiceDown: no Redis is configured.
        RequestError: the address cannot be used, or is a Cluster.
    """
    found = _address(settings)
    if found is None:
        return str(settings.broker_url), {}
    address, database = found
    return _url(address, database), _options(address, settings.redis_connections)


def ask(settings: Settings) -> None:
    """Returns if messages can be sent. Only a Redis of its own is asked: on the queue's, whoever asks about slots finds
    out, and what else Celery knows is Celery's.

    Raises:
        ServiceDown: it does not answer.
        RequestError: as `broker`.
    """
    found = _address(settings) if settings.broker_url is not None else None
    if found is None:
        return
    try:
        _client(found[0], os.getpid()).ping()
    except redis.RedisError as error:
        raise ServiceDown(f"the broker does not answer: {error}") from None


@cache
def _client(address: Address, _pid: int) -> Any:
    return make_client(address, ASKING)


def _address(settings: Settings) -> tuple[Address, int] | None:
    """Where it is, with the number of the database; None if it is no Redis. Raises as `broker`."""
    text, variable = settings.broker_url, f"{PREFIX}BROKER_URL"
    if text is None:
        address, database = redis_address(settings), DATABASE
        if address.kind == "cluster":
            raise RequestError(f"setting {variable}: needed beside a Redis Cluster, which Celery cannot use")
    elif text.partition("://")[0] in KINDS:
        address = parse(text, variable)
        database = dict(address.options).get("db", 0)
        if address.kind == "cluster":
            raise RequestError(f"setting {variable}: Celery cannot use a Redis Cluster")
    else:
        return None
    return address, database


def _url(address: Address, database: int) -> str:
    options = dict(address.options)
    user, password = (quote(options.get(name) or "", safe="") for name in ("username", "password"))
    credentials = f"{user}:{password}@" if password else ""
    if address.path:
        return f"redis+socket://{credentials}{address.path}?virtual_host={database}"
    scheme = "sentinel" if address.kind == "sentinel" else "rediss" if address.tls else "redis"
    return ";".join(f"{scheme}://{credentials}{_host(node)}/{database}" for node in address.nodes)


def _host(node: Node) -> str:
    host, port = node
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _options(address: Address, connections: int) -> dict[str, Any]:
    transport: dict[str, Any] = {
        "max_connections": connections,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "socket_keepalive": True,
        "health_check_interval": HEALTH_SECONDS,
    }
    if address.kind == "sentinel":
        times = {"socket_connect_timeout": SENTINEL_SECONDS, "socket_timeout": SENTINEL_SECONDS}
        to_sentinels = {"ssl": address.tls, **times, **dict(address.sentinel_options)}
        transport |= {"master_name": address.service, "sentinel_kwargs": to_sentinels}
    # One that publishes and one beside it; the worker has its own.
    found: dict[str, Any] = {"broker_pool_limit": 2, "broker_transport_options": transport}
    if address.tls:
        found["broker_use_ssl"] = {"ssl_cert_reqs": "required", **address.tls_options}
    return found
