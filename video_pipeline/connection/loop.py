"""One event loop thread per process, for BullMQ's asyncio client."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent import futures
from functools import lru_cache
from typing import Any, TypeVar

import redis
from redis.exceptions import RedisClusterException

from video_pipeline.errors import ServiceDown

T = TypeVar("T")


class LoopThread:
    """Runs coroutines of one event loop from any thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True, name="redis-loop").start()

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 20.0) -> T:
        """The coroutine's result.

        Raises:
            ServiceDown: Redis does not answer.
        """
        running = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return running.result(timeout)
        except (redis.RedisError, RedisClusterException, TimeoutError, futures.TimeoutError) as error:
            running.cancel()  # else a command that waits for a connection is sent later, when nobody counts on it
            raise ServiceDown(f"the queue does not answer: {error or type(error).__name__}") from None


@lru_cache(maxsize=2)
def _loop(_pid: int) -> LoopThread:
    return LoopThread()


def loop() -> LoopThread:
    """This process's loop; a fork gets its own."""
    return _loop(os.getpid())
