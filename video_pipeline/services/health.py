"""Whether Dagster's parts do their work, as its webserver tells over GraphQL."""

from __future__ import annotations

import json
import urllib.request
from typing import Any


def loaded(web: str) -> bool:
    """The code is there."""
    query = "{ repositoriesOrError { __typename ... on RepositoryConnection { nodes { name } } } }"
    answer = _graphql(web, query)
    return bool(answer and answer["repositoriesOrError"].get("nodes"))


def daemons_healthy(web: str, since: float) -> bool:
    """Every daemon that is needed has told that it lives, after this time; Dagster believes in one for half an hour."""
    query = "{ instance { daemonHealth { allDaemonStatuses { required healthy lastHeartbeatTime } } } }"
    answer = _graphql(web, query)
    if not answer:
        return False
    needed = [s for s in answer["instance"]["daemonHealth"]["allDaemonStatuses"] if s["required"]]
    return all(s["healthy"] and s["lastHeartbeatTime"] >= since for s in needed)


def _graphql(web: str, query: str) -> Any:
    """None while the webserver does not answer."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{web}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["data"]
    except (OSError, ValueError):
        return None
