"""One event loop thread per process, for BullMQ's asyncio client."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Coroutine
from concurrent import futures
from functools import lru_cache
from typing import Any, TypeVar

import redis
from redis.exceptions import RedisClusterException

from video_pipeline.errors import EntryError, ServiceDown

T = TypeVar("T")
SERVERS_OWN = re.compile(r"\b(MISCONF|NOREPLICAS|OOM|READONLY|LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|NOPERM)\b")
"""Errors that have no class in redis-py, or none when they come from inside a script."""


class LoopThread:
    """Runs coroutines of one event loop from any thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True, name="redis-loop").start()

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 20.0) -> T:
        """The coroutine's result.

        Raises:
            ServiceDown: Redis does not answer.
            EntryError: what a script was about is not as it expects.
        """
        running = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return running.result(timeout)
        except (redis.RedisError, RedisClusterException, TimeoutError, futures.TimeoutError) as error:
            running.cancel()  # else a command that waits for a connection is sent later, when nobody counts on it
            if _about_an_entry(error):
                raise EntryError(f"the queue's script refuses it: {error}") from None
            raise ServiceDown(f"the queue does not answer: {str(error) or type(error).__name__}") from None


def _about_an_entry(error: Exception) -> bool:
    """A script met something that it cannot work on; not what the server itself lacks."""
    if type(error) is not redis.ResponseError or SERVERS_OWN.search(str(error)):
        return False
    return "user_script" in str(error) or str(error).startswith("WRONGTYPE")


_making = threading.Lock()
"""Two threads that ask at once must not get a loop each: what one opens the other could not use."""


@lru_cache(maxsize=2)
def _loop(_pid: int) -> LoopThread:
    return LoopThread()


def loop() -> LoopThread:
    """This process's loop; a fork gets its own."""
    with _making:
        return _loop(os.getpid())
