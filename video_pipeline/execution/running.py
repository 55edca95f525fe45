"""Which worker executes which run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import redis

from video_pipeline.connection import client
from video_pipeline.execution.keys import Keys
from video_pipeline.settings import Settings


@contextlib.contextmanager
def executing(settings: Settings, worker: str, run_id: str) -> Iterator[None]:
    """Around a run, inside of its `RunWatch`."""
    keys = Keys(settings)
    with contextlib.suppress(redis.RedisError):  # one that is not noted makes admission stricter, never looser
        connection: Any = client(settings)
        connection.hset(keys.running, run_id, worker)
        _forget_lost(connection, keys)
    try:
        yield
    finally:
        with contextlib.suppress(redis.RedisError):
            client(settings).hdel(keys.running, run_id)


def executed(connection: Any, keys: Keys) -> dict[str, str]:
    """Run id to worker, of the runs whose heart beats."""
    return {run_id: worker for run_id, (worker, beats) in _noted(connection, keys).items() if beats}


def _forget_lost(connection: Any, keys: Keys) -> None:
    """Runs of workers that were killed stay behind; somebody has to sweep."""
    lost = [run_id for run_id, (_, beats) in _noted(connection, keys).items() if not beats]
    if lost:
        connection.hdel(keys.running, *lost)


def _noted(connection: Any, keys: Keys) -> dict[str, tuple[str, bool]]:
    found: dict[str, str] = connection.hgetall(keys.running)
    beats = connection.mget([keys.alive(run_id) for run_id in found]) if found else []
    return {run_id: (worker, beat is not None) for (run_id, worker), beat in zip(found.items(), beats, strict=True)}
