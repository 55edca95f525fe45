"""What becomes of a call that takes too long."""

from __future__ import annotations

import asyncio

import pytest

from video_pipeline.connection import async_client, client, loop
from video_pipeline.errors import ServiceDown
from video_pipeline.settings import Settings


def test_what_was_given_up_is_not_done_later(queue_settings: Settings) -> None:
    """A command that waits while another one has the only connection."""
    few = queue_settings.model_copy(update={"redis_connections": 1})
    occupied, key = f"{few.key_prefix}:list", f"{few.key_prefix}:late"

    async def occupy() -> None:
        await async_client(few).blpop([occupied], timeout=0)

    async def write(name: str) -> None:
        await async_client(few).set(name, "1")

    occupying = asyncio.run_coroutine_threadsafe(occupy(), loop().loop)
    with pytest.raises(ServiceDown, match="the queue does not answer"):
        loop().run(write(key), 0.5)
    client(queue_settings).rpush(occupied, "go on")
    occupying.result(20)
    # It comes behind whatever still waits for the connection.
    loop().run(write(f"{key}-er"))
    assert not client(queue_settings).exists(key)
