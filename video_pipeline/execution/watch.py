"""Beside every run: its heartbeat, and an eye on whether it shall stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import TracebackType

import redis

from video_pipeline.connection import client
from video_pipeline.errors import ServiceDown
from video_pipeline.execution.keys import HEARTBEAT_SECONDS, HEARTBEAT_TTL, Keys
from video_pipeline.media.gate import gate
from video_pipeline.settings import Settings

LOOK_SECONDS = 0.3
AGAIN_SECONDS = 3.0
"""A signal that comes before Dagster has set its handler is swallowed, so it is sent again."""
HOLD_SECONDS = HEARTBEAT_TTL - 1.0
"""Without a heartbeat for this long the run is held: by the time others think it dead, it does nothing any more."""
DOUBT_SECONDS = 15.0
"""After it was held: whoever judges it may have begun to while the heartbeat was away."""
BEGIN_SECONDS = 60.0
"""A run that could not begin within Dagster's start_timeout_seconds has been given up."""
logger = logging.getLogger(__name__)


class RunWatch:
    """A context around a run in its worker's main thread.

    The heartbeat is a key with a short life. A worker that cannot renew it holds its run: children are stopped as they
    are, and nothing begins. When it can again, the run goes on, unless it was given up meanwhile: then it is
    interrupted, since another one may have taken its place.
    """

    def __init__(self, settings: Settings, run_id: str, over: Callable[[], bool] = lambda: False) -> None:
        """`over` tells whether Dagster has given the run up."""
        self._settings, self._keys, self._run_id, self._over = settings, Keys(settings), run_id, over
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._beaten = self._doubt_until = 0.0
        self._threads = [
            threading.Thread(target=self._look, daemon=True, name="run-watch"),
            # Apart from the other: a call to a server that is stopped takes seconds to fail.
            threading.Thread(target=self._guard, daemon=True, name="run-guard"),
        ]

    def __enter__(self) -> RunWatch:
        # Before the run is STARTED, else the monitor could take it for dead.
        self._first_beat()
        for thread in self._threads:
            thread.start()
        return self

    def _first_beat(self) -> None:
        deadline = time.monotonic() + BEGIN_SECONDS
        while True:
            try:
                self._beat()
                return
            except redis.RedisError as error:
                if time.monotonic() > deadline:
                    raise ServiceDown(f"run {self._run_id} cannot begin: Redis does not answer: {error}") from None
            self._ended.wait(LOOK_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(2 * HEARTBEAT_SECONDS)
        with self._lock:
            gate.release()
        try:
            client(self._settings).delete(self._keys.alive(self._run_id), self._keys.cancel(self._run_id))
            client(self._settings).zadd(self._keys.wake, {self._run_id: 0})
        except redis.RedisError:
            pass  # the key expires, and the sensor looks anyway

    def _beat(self) -> None:
        # The server counts from a later moment: whoever goes by ours stops in time.
        sent = time.monotonic()
        client(self._settings).set(self._keys.alive(self._run_id), os.getpid(), ex=HEARTBEAT_TTL)
        self._beaten = sent

    def _guard(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            with self._lock:
                if not gate.held and not self._ended.is_set() and time.monotonic() - self._beaten >= HOLD_SECONDS:
                    logger.warning("run %s is held: Redis does not answer", self._run_id)
                    gate.hold()

    def _look(self) -> None:
        interrupted = float("-inf")
        while not self._ended.wait(LOOK_SECONDS):
            try:
                stop = self._shall_stop()
            except redis.RedisError:
                continue  # the guard sees to it
            except Exception as error:
                logger.warning("run %s could not be looked up: %s", self._run_id, error)
                continue
            if stop and not self._ended.is_set() and time.monotonic() - interrupted >= AGAIN_SECONDS:
                interrupted = time.monotonic()
                os.kill(os.getpid(), signal.SIGINT)

    def _shall_stop(self) -> bool:
        now = time.monotonic()
        # The whole worker may have stood still, and the guard with it.
        late = gate.held or now - self._beaten >= HOLD_SECONDS
        if late or now - self._beaten >= HEARTBEAT_SECONDS:
            self._beat()
        if late:
            self._doubt_until = now + DOUBT_SECONDS
        if now < self._doubt_until and self._over():
            return True  # held as it is; the interrupt ends its child
        with self._lock:
            if gate.held:
                logger.warning("run %s goes on", self._run_id)
                gate.release()
        return bool(client(self._settings).exists(self._keys.cancel(self._run_id)))
