"""Beside every run: its heartbeat, and an eye on whether it shall stop."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import TracebackType

import redis

from video_pipeline.connection import client
from video_pipeline.execution.keys import HEARTBEAT_SECONDS, HEARTBEAT_TTL, Keys
from video_pipeline.settings import Settings

LOOK_SECONDS = 0.3
AGAIN_SECONDS = 3.0
"""A signal that comes before Dagster has set its handler is swallowed, so it is sent again."""


class RunWatch:
    """A context around a run in its worker's main thread.

    The heartbeat is a key with a short life. A worker that cannot renew it for that long stops its run: others must
    think it dead by then and start another one.
    """

    def __init__(self, settings: Settings, run_id: str) -> None:
        self._settings, self._keys, self._run_id = settings, Keys(settings), run_id
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="run-watch")

    def __enter__(self) -> RunWatch:
        # Before the run is STARTED, else the monitor could take it for dead.
        self._beat()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(2 * HEARTBEAT_SECONDS)
        try:
            with client(self._settings).pipeline() as pipe:
                pipe.delete(self._keys.alive(self._run_id), self._keys.cancel(self._run_id))
                pipe.execute()
            client(self._settings).zadd(self._keys.wake, {self._run_id: 0})
        except redis.RedisError:
            pass  # the key expires, and the sensor looks anyway

    def _beat(self) -> None:
        client(self._settings).set(self._keys.alive(self._run_id), os.getpid(), ex=HEARTBEAT_TTL)

    def _run(self) -> None:
        beaten = time.monotonic()
        stopped = 0.0
        while not self._ended.wait(LOOK_SECONDS):
            now = time.monotonic()
            stop = False
            try:
                if now - beaten >= HEARTBEAT_SECONDS:
                    self._beat()
                    beaten = now
                stop = bool(client(self._settings).exists(self._keys.cancel(self._run_id)))
            except redis.RedisError:
                stop = now - beaten >= HEARTBEAT_TTL
            if stop and now - stopped >= AGAIN_SECONDS:
                stopped = now
                os.kill(os.getpid(), signal.SIGINT)
