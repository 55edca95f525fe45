"""Run slots: the live Celery children that have loaded this code. Nothing else admits a run."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from dataclasses import dataclass

import redis

from video_pipeline.connection import client, one_node
from video_pipeline.errors import ServiceDown
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.version import CODE_VERSION
from video_pipeline.settings import Settings

ANNOUNCE_SECONDS, ANNOUNCE_TTL = 2.0, 10.0


@dataclass(frozen=True)
class Worker:
    name: str
    slots: int
    code: str


class Announcement:
    """Tells Redis, again and again, that this worker is there; its end is told too, or noticed after ten seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._keys = settings, Keys(settings)
        self._member = json.dumps(
            {"name": f"{socket.gethostname()}:{os.getpid()}", "slots": settings.worker_slots, "code": CODE_VERSION}
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="announcement")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(ANNOUNCE_SECONDS + 1)
        with contextlib.suppress(redis.RedisError):  # it expires
            client(self._settings).zrem(self._keys.workers, self._member)

    def _run(self) -> None:
        while True:
            try:
                connection = client(self._settings)
                connection.zadd(self._keys.workers, {self._member: _now(connection, self._keys.workers) + ANNOUNCE_TTL})
            except redis.RedisError:
                pass  # tried again in a moment
            if self._ended.wait(ANNOUNCE_SECONDS):
                return


def workers(settings: Settings) -> list[Worker]:
    """Workers that announced themselves within the last ten seconds, of any code version.

    Raises:
        ServiceDown: Redis does not answer.
    """
    keys = Keys(settings)
    try:
        connection = client(settings)
        now = _now(connection, keys.workers)
        connection.zremrangebyscore(keys.workers, "-inf", now)
        members = connection.zrange(keys.workers, 0, -1)
    except redis.RedisError as error:
        raise ServiceDown(f"the queue does not answer: {error}") from None
    return [Worker(**json.loads(str(member))) for member in members]


def slots(settings: Settings) -> int:
    """How many runs of this code can be executed at once. Raises as `workers`."""
    return sum(worker.slots for worker in workers(settings) if worker.code == CODE_VERSION)


def _now(connection: redis.Redis, key: str) -> float:
    """The clock of the server that has the key: hosts may differ."""
    seconds, microseconds = connection.time(**one_node(connection, key))
    return float(seconds + microseconds / 1e6)
