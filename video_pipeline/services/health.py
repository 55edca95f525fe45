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


def daemons_healthy(web: str) -> bool:
    """Every daemon that is needed has told that it lives."""
    query = "{ instance { daemonHealth { allDaemonStatuses { required healthy } } } }"
    answer = _graphql(web, query)
    if not answer:
        return False
    return all(s["healthy"] for s in answer["instance"]["daemonHealth"]["allDaemonStatuses"] if s["required"])


def _graphql(web: str, query: str) -> Any:
    """None while the webserver does not answer."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{web}/graphql", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["data"]
    except (OSError, ValueError):
        return None
