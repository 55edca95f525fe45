from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from video_pipeline import settings
from video_pipeline.services import children, rolling
from video_pipeline.services.children import Child
from video_pipeline.services.stack import WORKER, Stack, redis_name


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """Ends when it is told to."""
    found = children.start(WORKER, ["sleep", "600"], environment=os.environ, logs=tmp_path, cwd=tmp_path)
    yield found
    children.stop([found])


def test_the_old_workers_leave_also_while_redis_is_away(child: Child, tmp_path: Path) -> None:
    said: list[str] = []
    stack = Stack(settings.load(home=tmp_path, redis_url="redis://127.0.0.1:1/0"), said.append)
    stack.run.mkdir()
    stack.children.append(child)
    rolling._let_leave(stack, [child], rolling._Record(stack))
    assert child.process.wait(20) == -signal.SIGTERM
    assert stack.leaving == [child]
    (sentence,) = said
    assert sentence.startswith(f"restart: worker {redis_name(child)} takes no new runs; it finishes what it executes ")
