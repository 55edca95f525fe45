"""Flows of BullMQ across a Node app's queue and ours, and cancelling from Node."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import psutil
import pytest

from video_pipeline.intake.messages import CancelAnswer, Failure, Result
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.node.app import NodeApp, NodeError
from video_pipeline_tests.processes import encoders, files_below, processes, wait_for

pytestmark = pytest.mark.e2e
DRAFT = {"schemaVersion": 1, "preset": "draft"}

WORKER = """
const work = async (job) => {
  if (job.data.fail) throw new bullmq.UnrecoverableError('the upload was cut off');
  return { uploaded: job.data.name ?? null, children: Object.values(await job.getChildrenValues()) };
};
open.push(new bullmq.Worker(a.queue, work, { connection }));
"""
FLOW = """
const { job, children } = await flows.add(a.flow);
return [job.id, ...children.map((child) => child.job.id)];
"""
RETURNED = """
const app = new bullmq.Queue(a.queue, { connection });
const job = await app.getJob(a.id);
const found = { state: await job.getState(), returned: job.returnvalue, reason: job.failedReason };
await app.close();
return found;
"""


@pytest.fixture(scope="module")
def app_queue(node: NodeApp) -> str:
    """A queue of the app's own, and its worker."""
    queue = f"uploads-{uuid.uuid4().hex[:8]}"
    node(WORKER, queue=queue)
    return queue


def in_app(node: NodeApp, queue: str, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = node(RETURNED, queue=queue, id=job_id)
    return found


def test_the_apps_parent_gets_what_our_child_returns(node: NodeApp, app_queue: str, clip: Path) -> None:
    data = {**DRAFT, "source": str(clip), "videoId": "node-child"}
    child = {"name": "video", "queueName": "video-intake", "data": data, "opts": {"jobId": "flow-child"}}
    flow = {"name": "announce", "queueName": app_queue, "data": {"name": "a"}, "children": [child]}
    parent, ours = node(FLOW, flow=flow)
    assert ours == "flow-child"
    result = Result.model_validate(node.ended(ours)["data"]["returnvalue"])
    wait_for(lambda: in_app(node, app_queue, parent)["state"] == "completed")
    assert in_app(node, app_queue, parent)["returned"] == {"uploaded": "a", "children": [result.data()]}


def test_the_apps_parent_fails_with_our_child(node: NodeApp, app_queue: str, tmp_path: Path) -> None:
    child = {
        "name": "video",
        "queueName": "video-intake",
        "data": {"source": str(tmp_path / "missing.mp4")},
        "opts": {"failParentOnFailure": True},
    }
    parent, ours = node(FLOW, flow={"name": "announce", "queueName": app_queue, "data": {}, "children": [child]})
    assert node.ended(ours)["event"] == "failed"
    wait_for(lambda: in_app(node, app_queue, parent)["state"] == "failed")
    assert ours in in_app(node, app_queue, parent)["reason"]


def test_our_job_waits_for_the_apps_child(node: NodeApp, app_queue: str, clip: Path) -> None:
    upload = {"name": "upload", "queueName": app_queue, "data": {"name": "b"}, "opts": {"delay": 1000}}
    data = {**DRAFT, "source": str(clip), "videoId": "node-parent"}
    ours, child = node(FLOW, flow={"name": "video", "queueName": "video-intake", "data": data, "children": [upload]})
    assert node.state(ours) == "waiting-children"
    assert node.ended(ours)["event"] == "completed"
    assert in_app(node, app_queue, child)["state"] == "completed"
    assert node("return Object.values(await (await queue.getJob(a.id)).getChildrenValues())", id=ours) == [
        {"uploaded": "b", "children": []}
    ]


def test_our_job_fails_when_the_apps_child_does(node: NodeApp, app_queue: str, clip: Path) -> None:
    upload = {"name": "upload", "queueName": app_queue, "data": {"fail": True}, "opts": {"failParentOnFailure": True}}
    data = {**DRAFT, "source": str(clip), "videoId": "node-orphan"}
    ours, child = node(FLOW, flow={"name": "video", "queueName": "video-intake", "data": data, "children": [upload]})
    failed = node.ended(ours)
    assert failed["event"] == "failed"
    assert failed["data"]["failedReason"].startswith("permanent: ")
    assert child in failed["data"]["failedReason"]


def test_cancel_of_a_running_a_waiting_and_a_delayed_job(node: NodeApp, stack: RunningStack, long_clip: Path) -> None:
    def add(video_id: str, **options: Any) -> str:
        return node.add({"source": str(long_clip), "preset": "premium", "videoId": video_id}, **options)

    running = add("node-cancel-running")
    (encoder, *_) = wait_for(lambda: encoders(processes(stack.home)), 60)
    waiting, prioritized = add("node-cancel-waiting"), add("node-cancel-prioritized", priority=5)
    delayed = add("node-cancel-delayed", delay=3_600_000)
    for job_id in (waiting, prioritized, delayed):
        assert CancelAnswer.model_validate(node.cancel(jobId=job_id)).cancelled == (job_id,)
        assert_cancelled(node, job_id)
    assert node.state(running) == "active"
    assert node.cancel(videoId="node-cancel-running") == {"cancelled": [running]}
    assert_cancelled(node, running, run=True)
    assert not encoder.is_running() or encoder.status() == psutil.STATUS_ZOMBIE
    wait_for(lambda: not files_below(stack.settings.scratch))


def test_cancel_of_a_job_between_two_attempts(node: NodeApp, stack: RunningStack, long_clip: Path) -> None:
    data = {"source": str(long_clip), "preset": "premium", "videoId": "node-cancel-retry"}
    job_id = node.add(data, attempts=3, backoff={"type": "fixed", "delay": 3_600_000})

    def kill_encoders() -> bool:
        for encoder in encoders(processes(stack.home)):
            encoder.kill()
        return bool(node.of(job_id, "delayed", "failed"))

    wait_for(kill_encoders, 90)
    assert node.state(job_id) == "delayed"
    assert node.cancel(jobId=job_id) == {"cancelled": [job_id]}
    assert_cancelled(node, job_id)
    assert node.job(job_id)["attemptsMade"] == 2


def assert_cancelled(node: NodeApp, job_id: str, *, run: bool = False) -> None:
    assert node.ended(job_id)["data"]["failedReason"] == "cancelled"
    job = node.job(job_id)
    failure = Failure.model_validate(job["progress"]["error"])
    assert (failure.error_class, failure.code, failure.message) == ("cancelled", "cancelled", "cancelled")
    assert bool(failure.run_id) == run
    assert job["state"] == "failed"


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ({"jobId": "never-heard-of"}, "never-heard-of"),
        ({"videoId": "never-heard-of"}, "never-heard-of"),
        ({}, "jobId or videoId"),
        ({"jobId": "1", "videoId": "a"}, "jobId or videoId"),
        ({"jobId": "1", "force": True}, "jobId or videoId"),
    ],
)
def test_a_cancel_that_cannot_be_done_says_why(node: NodeApp, what: dict[str, Any], named: str) -> None:
    with pytest.raises(NodeError, match=named):
        node.cancel(**what)


def test_a_request_that_is_unknown_says_so(node: NodeApp) -> None:
    with pytest.raises(NodeError, match="reboot"):
        node("return await (await control.add('reboot', {})).waitUntilFinished(controlEvents, 60000)")
