"""Jobs as a producer of its own writes them, and as any BullMQ client sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from bullmq import Queue

from video_pipeline.connection import async_client
from video_pipeline.execution.tags import JOB_TAG
from video_pipeline.intake.bull import bull
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.processes import wait_for

QUEUE, CONTROL = "video-intake", "video-intake-control"
FAR = {"type": "fixed", "delay": 600_000}
"""A backoff that nobody waits for."""
PATIENCE = 240.0
"""s; a busy machine needs ten times what an idle one does."""


def add(stack: RunningStack, clip: Path, video_id: str, *, preset: str = "draft", **options: Any) -> str:
    """Puts a job into the queue and returns its id; `options` are BullMQ's."""
    data = {"source": str(clip), "videoId": video_id, "preset": preset}
    return send(stack, QUEUE, "video", data, {"attempts": 3, "backoff": FAR, **options})


def send(stack: RunningStack, queue: str, name: str, data: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    async def added() -> str:
        # A connection of its own, in this loop.
        connection = async_client(stack.settings, name="producer")
        there = Queue(queue, {"connection": connection, "prefix": stack.settings.queue_prefix})
        try:
            return str((await there.add(name, dict(data), dict(options))).id)
        finally:
            await there.close()

    return asyncio.run(added())


def fields(stack: RunningStack, job_id: str) -> dict[str, str]:
    found: dict[str, str] = stack.redis.hgetall(f"bull:{QUEUE}:{job_id}")
    return found


def events(stack: RunningStack, name: str) -> list[tuple[int, dict[str, str]]]:
    """When (ms since 1970) and what, of all jobs, in their order."""
    found = stack.redis.xrange(f"bull:{QUEUE}:events")
    return [(int(when.split("-")[0]), event) for when, event in found if event["event"] == name]


def state(stack: RunningStack, job_id: str) -> str:
    return bull(stack.settings).state(job_id)


def ended(stack: RunningStack, job_id: str, seconds: float = PATIENCE) -> str:
    def last() -> str | None:
        found = state(stack, job_id)
        return found if found in ("completed", "failed") else None

    return wait_for(last, seconds)


def runs(stack: RunningStack, job_id: str) -> list[dg.DagsterRun]:
    """In the order they were made."""
    with stack.instance() as instance:
        return list(instance.get_runs(dg.RunsFilter(tags={JOB_TAG: job_id})))[::-1]
