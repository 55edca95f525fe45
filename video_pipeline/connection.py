"""Redis: one pool per process for plain calls, and one event loop thread for BullMQ's asyncio client."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any, TypeVar

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from video_pipeline.errors import ServiceDown
from video_pipeline.settings import Settings

T = TypeVar("T")
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 10.0
"""BLPOP waits up to five seconds inside an answer."""


def client(settings: Settings) -> redis.Redis:
    """This process's client.

    Raises:
        ServiceDown: no Redis is configured.
    """
    return _client(url(settings), os.getpid())


def url(settings: Settings) -> str:
    if settings.redis_url is None:
        raise ServiceDown("no queue: start `video-pipeline up`, or set VIDEO_PIPELINE_REDIS_URL")
    return settings.redis_url


@lru_cache(maxsize=8)
def _client(address: str, _pid: int) -> redis.Redis:
    # BullMQ's and our own waiting is done elsewhere: a call that fails says so at once.
    return redis.Redis.from_url(
        address,
        decode_responses=True,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def async_client(settings: Settings, *, name: str | None = None) -> redis.asyncio.Redis:
    """A client for the loop of `LoopThread`; make it there. `name` is what CLIENT LIST shows of its connections."""
    from redis.asyncio.retry import Retry as AsyncRetry

    return redis.asyncio.Redis.from_url(
        url(settings),
        decode_responses=True,
        client_name=name,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=AsyncRetry(NoBackoff(), 0),
    )


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
        try:
            return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)
        except (redis.RedisError, TimeoutError) as error:
            raise ServiceDown(f"the queue does not answer: {error or type(error).__name__}") from None


@lru_cache(maxsize=2)
def _loop(_pid: int) -> LoopThread:
    return LoopThread()


def loop() -> LoopThread:
    """This process's loop; a fork gets its own."""
    return _loop(os.getpid())
