from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import Bull
from video_pipeline.settings import Settings


@pytest.fixture
def queue(queue_settings: Settings) -> Iterator[Bull]:
    ours = Bull(queue_settings)
    yield ours
    ours.close()


@pytest.fixture
def active(queue: Bull) -> Iterator[Active]:
    ours = Active(queue)
    yield ours
    ours.close()


@pytest.fixture
def server(queue_settings: Settings) -> redis.Redis:
    """A plain client that knows nothing of ours."""
    assert queue_settings.redis_url
    return redis.Redis.from_url(queue_settings.redis_url, decode_responses=True)
