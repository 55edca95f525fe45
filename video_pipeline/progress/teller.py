"""Tells things to Redis from one thread, in order, so that nobody who has something to tell waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

import redis

from video_pipeline.errors import PipelineError

MOST = 500
"""What is told; when Redis is away for long, the oldest is lost."""
AGAIN_SECONDS = 2.0
logger = logging.getLogger(__name__)


class Teller:
    """Keeps what could not be told, and tries again in a moment."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque(maxlen=MOST)
        self._changed = threading.Condition()
        self._busy = self._failing = False
        threading.Thread(target=self._run, daemon=True, name="teller").start()

    def tell(self, *calls: Callable[[], None]) -> None:
        """Returns at once; the calls are made in this order."""
        with self._changed:
            self._waiting.extend(calls)
            self._changed.notify_all()

    def flush(self, seconds: float) -> None:
        """Returns when all is told, when the time is over, or at once while Redis is away."""
        with self._changed:
            self._changed.wait_for(lambda: self._failing or not (self._waiting or self._busy), seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                call = self._waiting.popleft()
                self._busy = True
            failed = False
            try:
                call()
            except (redis.RedisError, PipelineError) as error:
                failed = True
                if not self._failing:
                    logger.warning("progress cannot be told: %s", error)
            except Exception:
                logger.exception("progress could not be told")
            with self._changed:
                self._busy, self._failing = False, failed
                if failed and len(self._waiting) < MOST:
                    self._waiting.appendleft(call)
                self._changed.notify_all()
            if failed:
                time.sleep(AGAIN_SECONDS)
