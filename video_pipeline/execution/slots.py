"""Run slots: the live Celery children that have loaded this code. Nothing else admits a run."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis

from video_pipeline.connection import client, one_node
from video_pipeline.errors import RequestError, ServiceDown
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.running import executed
from video_pipeline.execution.version import CODE_VERSION
from video_pipeline.settings import Settings

ANNOUNCE_SECONDS, ANNOUNCE_TTL = 2.0, 10.0
DRAIN_TTL = 24 * 3600
"""Renewed while the worker lives."""


@dataclass(frozen=True)
class Worker:
    name: str
    slots: int
    code: str
    draining: bool = False
    """It takes no new run, and ends when it has finished those it executes."""
    busy: int = 0
    """Runs it executes."""

    @property
    def open(self) -> bool:
        """Whether it takes new runs of this code."""
        return self.code == CODE_VERSION and not self.draining


class Announcement:
    """Tells Redis, again and again, that this worker is there; its end is told too, or noticed after ten seconds.

    Whoever sets its drain key withdraws its slots, for every reader at once; the worker notices within two seconds.
    """

    def __init__(self, settings: Settings, on_drain: Callable[[], None] = lambda: None) -> None:
        """`on_drain` is called once, from the announcement's thread."""
        self._settings, self._keys, self._on_drain = settings, Keys(settings), on_drain
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._member = json.dumps({"name": self.name, "slots": settings.worker_slots, "code": CODE_VERSION})
        self._draining = self._told = self._ended = False
        self._new = True
        self._look = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="announcement")

    def start(self) -> None:
        self._thread.start()

    def drain(self) -> None:
        """Withdraws the slots; a signal handler may call it."""
        self._draining = True
        self._look.set()

    def stop(self) -> None:
        self._ended = True
        self._look.set()
        self._thread.join(ANNOUNCE_SECONDS + 1)
        with contextlib.suppress(redis.RedisError):  # it expires
            connection = client(self._settings)
            connection.zrem(self._keys.workers, self._member)
            connection.delete(self._keys.drain(self.name))

    def _run(self) -> None:
        while not self._ended:
            self._look.clear()
            with contextlib.suppress(redis.RedisError):  # tried again in a moment
                self._tell()
            if self._draining and not self._told:
                self._told = True
                self._on_drain()
            self._look.wait(ANNOUNCE_SECONDS)

    def _tell(self) -> None:
        connection, drain = client(self._settings), self._keys.drain(self.name)
        if self._new:
            # Process ids come again: the request was for an earlier worker.
            connection.delete(drain)
            self._new = False
        if self._draining:
            connection.set(drain, "1", ex=DRAIN_TTL)
        connection.zadd(self._keys.workers, {self._member: _now(connection, self._keys.workers) + ANNOUNCE_TTL})
        self._draining = self._draining or bool(connection.exists(drain))


def workers(settings: Settings) -> list[Worker]:
    """Workers that announced themselves within the last ten seconds, of any code version.

    Raises:
        ServiceDown: Redis does not answer.
    """
    return _look(settings)[0]


def slots(settings: Settings) -> int:
    """How many runs may be in progress at once: a slot for each that an open worker can execute, and one for each that
    another worker is still executing. Raises as `workers`."""
    there, busy = _look(settings)
    opened = {worker.name: worker.slots for worker in there if worker.open}
    return sum(opened.values()) + sum(count for name, count in busy.items() if name not in opened)


def drain(settings: Settings, name: str) -> Worker:
    """Lets a worker take no new run, from now on; it ends when it has finished what it executes.

    Raises:
        RequestError: no worker has this name.
        ServiceDown: Redis does not answer.
    """
    there = {worker.name: worker for worker in workers(settings)}
    if name not in there:
        raise RequestError(f"no worker is called {name!r}; there {_names(sorted(there))}")
    try:
        client(settings).set(Keys(settings).drain(name), "1", ex=DRAIN_TTL)
    except redis.RedisError as error:
        raise ServiceDown(f"the queue does not answer: {error}") from None
    return there[name]


def _names(found: list[str]) -> str:
    return f"{'is' if len(found) == 1 else 'are'} {', '.join(found)}" if found else "is none"


def _look(settings: Settings) -> tuple[list[Worker], Counter[str]]:
    """The workers, and how many runs each name executes; the name may be of a worker that is not announced."""
    keys = Keys(settings)
    try:
        connection: Any = client(settings)
        now = _now(connection, keys.workers)
        connection.zremrangebyscore(keys.workers, "-inf", now)
        members = [json.loads(member) for member in connection.zrange(keys.workers, 0, -1)]
        drains = connection.mget([keys.drain(member["name"]) for member in members]) if members else []
        busy = Counter(executed(connection, keys).values())
    except redis.RedisError as error:
        raise ServiceDown(f"the queue does not answer: {error}") from None
    there = [
        Worker(member["name"], member["slots"], member["code"], asked is not None, busy[member["name"]])
        for member, asked in zip(members, drains, strict=True)
    ]
    return there, busy


def _now(connection: redis.Redis, key: str) -> float:
    """The clock of the server that has the key: hosts may differ."""
    seconds, microseconds = connection.time(**one_node(connection, key))
    return float(seconds + microseconds / 1e6)
