"""Starting before Redis does: wait for it, say so, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from video_pipeline.connection import client, url
from video_pipeline.errors import ServiceDown
from video_pipeline.settings import Settings

AGAIN_SECONDS = 0.5
HOPELESS = (redis.AuthenticationError, redis.exceptions.AuthorizationError, redis.exceptions.NoPermissionError)
"""Time does not mend these."""


def wait_for_redis(settings: Settings, seconds: float, say: Callable[[str], None] | None = None) -> None:
    """Returns when Redis serves; `say` gets one sentence if that is not now.

    Raises:
        ServiceDown: not within this time, or it refuses us.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            # A server that still reads its file listens already, and refuses every command.
            client(settings).ping()
            return
        except HOPELESS as error:
            raise ServiceDown(f"Redis at {url(settings)} refuses us: {error}") from None
        except redis.RedisError as error:
            left = deadline - time.monotonic()
            if left <= 0:
                limit = f" within {seconds:g} s (VIDEO_PIPELINE_REDIS_WAIT_SECONDS)" if say else ""
                raise ServiceDown(f"Redis at {url(settings)} does not answer{limit}: {error}") from None
            if say:
                say(f"waiting up to {seconds:g} s for Redis at {url(settings)}: {error}")
                say = _quiet
        time.sleep(min(AGAIN_SECONDS, max(0.0, left)))


def _quiet(_: str) -> None:
    """It was said."""
