"""Where the queue is, as ioredis takes it."""

from __future__ import annotations

import json

from video_pipeline.connection.address import redis_address
from video_pipeline.settings import Settings


def place(settings: Settings) -> str:
    """The connection options, as JSON."""
    address = redis_address(settings)
    options = dict(address.options)
    found: dict[str, object] = {name: options[name] for name in ("username", "password", "db") if name in options}
    nodes: list[dict[str, object]] = [{"host": host, "port": port} for host, port in address.nodes]
    if address.kind == "sentinel":
        theirs = dict(address.sentinel_options)
        found |= {"sentinels": nodes, "name": address.service, "sentinelPassword": theirs.get("password")}
    else:
        found.update({"path": address.path} if address.path else nodes[0])
    return json.dumps(found)
