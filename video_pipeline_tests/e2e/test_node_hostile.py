"""What only careless producers do, through the whole stack: each job ends, and with what its producer can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from video_pipeline.intake.messages import Result
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.node.app import NodeApp
from video_pipeline_tests.processes import wait_for

pytestmark = pytest.mark.e2e
DEEP: Any = 1
for _ in range(63):
    DEEP = {"d": DEEP}

LARGE = ["y" * 1000] * 1000
# The data and the options of each job, by the end of its video id.
ODD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "data": ({"title": "x" * 1_000_000, "metadata": {"large": LARGE, "deep": DEEP}, "description": "a\0b"}, {}),
    "last": ({}, {"name": "Transcode a film!", "priority": 2_097_151}),
    "id": ({}, {"jobId": "order 7/ü*\n", "attempts": 0, "backoff": {"type": "custom"}}),
    "long-id": ({}, {"jobId": "i" * 5000, "timestamp": 1_795_490_331_900.5}),
    "leaves-nothing": ({}, {"removeOnComplete": True, "removeOnFail": True}),
    "stack": ({}, {"lifo": True, "deduplication": {"id": "stack"}}),
}


def test_each_is_published(node: NodeApp, stack: RunningStack, clip: Path) -> None:
    added = {}
    for name, (data, options) in ODD.items():
        video_id = f"hostile-{name}"
        added[node.add({"source": str(clip), "preset": "draft", "videoId": video_id, **data}, **options)] = video_id
    again = node.add({"source": "/other.mp4"}, deduplication={"id": "stack"})
    assert added[again] == "hostile-stack"
    for job_id, video_id in added.items():
        ended = node.ended(job_id, 200)
        assert ended["event"] == "completed", (video_id, ended["data"])
        result = Result.model_validate(ended["data"]["returnvalue"])
        assert result.video_id == video_id
        assert (stack.settings.store / result.release / "release.json").is_file()
    (gone,) = [job_id for job_id, video_id in added.items() if video_id == "hostile-leaves-nothing"]
    assert node.state(gone) == "unknown"
    # The next one of that deduplication id is a new one.
    later = node.add({"source": "relative.mp4"}, deduplication={"id": "stack"})
    assert later != again
    assert node.ended(later)["event"] == "failed"


def test_a_scheduler_makes_a_release_each_time(node: NodeApp, clip: Path) -> None:
    data = {"source": str(clip), "preset": "draft", "videoId": "hostile-nightly"}
    node("await queue.upsertJobScheduler('nightly', { every: 1000 }, { name: 'video', data: a.data })", data=data)
    first, second = _iterations(node, 2)
    node("await queue.removeJobScheduler('nightly')")
    for job_id in (first, second):
        assert node.ended(job_id)["data"]["returnvalue"]["videoId"] == "hostile-nightly"


def _iterations(node: NodeApp, count: int) -> list[str]:
    def found() -> list[str]:
        taken = [event["jobId"] for event in node.events if event["event"] == "active"]
        return [job_id for job_id in taken if job_id.startswith("repeat:nightly:")]

    return wait_for(lambda: found() if len(found()) >= count else None, 60)[:count]
