"""A web app in Node with npm's bullmq and nothing of ours: what it puts in, what it sees, what it changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from video_pipeline.intake.messages import Failure, Progress, Result
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.node.app import NodeApp, NodeError
from video_pipeline_tests.processes import encoders, processes, wait_for

pytestmark = pytest.mark.e2e
DRAFT = {"schemaVersion": 1, "preset": "draft"}
HOUR_MS = 3_600_000


def progress(node: NodeApp, job_id: str) -> list[Progress]:
    return [Progress.model_validate(event["data"]["data"]) for event in node.of(job_id, "progress")]


def test_progress_and_the_return_value_reach_the_producer(node: NodeApp, stack: RunningStack, clip: Path) -> None:
    job_id = node.add(
        {**DRAFT, "source": str(clip), "videoId": "node-done", "metadata": {"customer": {"id": 7}}},
        jobId="order-4711",
        attempts=3,
        backoff={"type": "exponential", "delay": 1000, "jitter": 0.5},
        priority=3,
    )
    assert job_id == "order-4711"
    waited = node("const job = await queue.getJob(a.id); return await job.waitUntilFinished(events, 90000)", id=job_id)
    result = Result.model_validate(waited)
    assert (result.video_id, result.data()) == ("node-done", waited)
    assert (stack.settings.store / result.release / "release.json").is_file()
    assert (stack.settings.store / result.hls).is_file()
    assert result.dash is not None
    assert (stack.settings.store / result.dash).is_file()
    assert result.durations.video_seconds == pytest.approx(4, abs=0.1)
    job = node.job(job_id)
    assert 0 <= result.durations.queued_seconds < result.durations.processing_seconds
    lasted = (job["finishedOn"] - job["timestamp"]) / 1000
    assert result.durations.queued_seconds + result.durations.processing_seconds == pytest.approx(lasted, abs=1)
    # The same by events.
    completed = node.ended(job_id)
    assert completed["event"] == "completed"
    assert completed["data"]["returnvalue"] == waited
    told = progress(node, job_id)
    percents = [one.percent for one in told]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert {"source", "renditions/h264", "quality_report", "release"} <= {one.stage for one in told}
    assert not any(one.error for one in told)
    assert [event["event"] for event in node.of(job_id) if event["event"] != "progress"] == [
        *("added", "waiting", "active", "completed")
    ]


def test_a_delayed_job_waits_and_can_be_promoted(node: NodeApp, tmp_path: Path) -> None:
    # A source that is missing ends at once, as far as order and time are concerned.
    soon = node.add({"source": str(tmp_path / "soon.mp4")}, delay=1500)
    late = node.add({"source": str(tmp_path / "late.mp4")}, delay=HOUR_MS)
    assert [node.state(soon), node.state(late)] == ["delayed", "delayed"]
    node.ended(soon)
    job = node.job(soon)
    assert job["processedOn"] - job["timestamp"] >= 1500
    assert node.state(late) == "delayed"
    node("await (await queue.getJob(a.id)).promote()", id=late)
    assert node.ended(late)["event"] == "failed"


def test_priorities_and_their_change_decide_the_order(node: NodeApp, tmp_path: Path) -> None:
    node("await queue.pause()")
    data = {"source": str(tmp_path / "missing.mp4")}
    wanted: dict[str, dict[str, Any]] = {
        "low": {"priority": 7},
        "high": {"priority": 2},
        "plain": {},
        "first": {"lifo": True},
        "raised": {},
    }
    ids = {name: node.add(data, **{"priority": 9} if name == "raised" else how) for name, how in wanted.items()}
    node("await (await queue.getJob(a.id)).changePriority({ priority: 1 })", id=ids["raised"])
    node("await queue.resume()")
    for job_id in ids.values():
        node.ended(job_id)
    taken = [event["jobId"] for event in node.events if event["event"] == "active"]
    order = [name for job_id in taken for name, own in ids.items() if own == job_id]
    assert order == ["first", "plain", "raised", "high", "low"]


def test_a_failed_job_says_why_and_is_retried_when_it_is_mended(node: NodeApp, clip: Path, tmp_path: Path) -> None:
    source = tmp_path / "late.mp4"
    source.write_text("no video at all\n" * 100)
    job_id = node.add({**DRAFT, "source": str(source), "videoId": "node-mended"}, attempts=5, backoff=100)
    failed = node.ended(job_id)
    assert failed["event"] == "failed"
    assert failed["data"]["failedReason"].startswith("permanent: ")
    assert "late.mp4" in failed["data"]["failedReason"]
    job = node.job(job_id)
    failure = Failure.model_validate(job["progress"]["error"])
    assert (failure.error_class, failure.code, failure.attempt) == ("permanent", "source", 1)
    assert failed["data"]["failedReason"] == f"permanent: {failure.message}"
    assert failure.run_id
    assert json.loads(job["stacktrace"][-1]) == failure.data()
    assert progress(node, job_id)[-1].error == failure
    assert (job["attemptsMade"], job["state"]) == (1, "failed")
    with pytest.raises(NodeError, match="permanent: "):
        node("await (await queue.getJob(a.id)).waitUntilFinished(events, 1000)", id=job_id)

    shutil.copy(clip, source)
    node("await (await queue.getJob(a.id)).retry()", id=job_id)
    completed = wait_for(lambda: node.of(job_id, "completed"), 90)
    assert completed[-1]["data"]["returnvalue"]["videoId"] == "node-mended"
    assert "error" not in node.job(job_id)["progress"]


def test_a_transient_failure_comes_back_with_the_producers_backoff(
    node: NodeApp, stack: RunningStack, make_clip: Callable[..., Path]
) -> None:
    # Of its own: what was encoded before would be taken from its checkpoints.
    source = make_clip("again.mp4", seconds=31, size="960x540")
    job_id = node.add(
        {"source": str(source), "videoId": "node-again", "preset": "draft"},
        attempts=2,
        backoff={"type": "exponential", "delay": 1500, "jitter": 0.5},
    )
    killed: set[int] = set()

    def kill_encoders() -> bool:
        for encoder in encoders(processes(stack.home)):
            try:
                encoder.kill()
                killed.add(encoder.pid)
            except psutil.NoSuchProcess:
                pass
        return bool(node.of(job_id, "delayed", "failed"))

    wait_for(kill_encoders, 90)
    assert killed
    job = node.job(job_id)
    failure = Failure.model_validate(job["progress"]["error"])
    assert (failure.error_class, failure.attempt, job["attemptsMade"]) == ("transient", 1, 1)
    assert job["failedReason"] == f"transient: {failure.message}"
    delayed, active = node.of(job_id, "delayed")[-1], wait_for(lambda: node.of(job_id, "active")[1:])[0]
    assert active["at"] - delayed["at"] >= 700
    assert node.ended(job_id)["event"] == "completed"
    assert node.job(job_id)["attemptsMade"] == 2


def test_a_waiting_job_is_removed_and_one_that_runs_is_not(node: NodeApp, stack: RunningStack, long_clip: Path) -> None:
    busy = node.add({"source": str(long_clip), "preset": "premium", "videoId": "node-busy"})
    wait_for(lambda: encoders(processes(stack.home)), 60)
    waits = node.add({"source": str(long_clip), "videoId": "node-removed"})
    node("await (await queue.getJob(a.id)).remove()", id=waits)
    with pytest.raises(NodeError, match="locked"):
        node("await (await queue.getJob(a.id)).remove()", id=busy)
    assert [node.state(waits), node.state(busy)] == ["unknown", "active"]
    assert node.cancel(jobId=busy) == {"cancelled": [busy]}
    assert node.ended(busy)["data"]["failedReason"] == "cancelled"
    assert [event["event"] for event in node.of(waits)] == ["added", "waiting", "removed"]
    assert not (stack.settings.store / "videos" / "node-removed").exists()
