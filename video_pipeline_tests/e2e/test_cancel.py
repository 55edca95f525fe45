"""A job is cancelled in every state it can be in, in every way there is."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import dagster as dg
import pytest

from video_pipeline.intake.bull import bull
from video_pipeline_tests.e2e import cancelling, jobs, states
from video_pipeline_tests.e2e.conftest import RunningStack, up
from video_pipeline_tests.processes import wait_for

pytestmark = pytest.mark.e2e
CASES = [(state, "cli") for state in states.STATES]
CASES += [("running", way) for way in cancelling.WAYS if way != "cli"]
CASES += [("starting", "forced"), ("claimed", "jobId")]


@pytest.mark.parametrize(("state", "way"), CASES)
def test_nothing_is_left(
    stack: RunningStack, long_clip: Path, instance: dg.DagsterInstance, state: str, way: str
) -> None:
    video = f"cancel-{state}-{way.lower()}"
    with states.STATES[state](stack, long_clip, video) as held:
        before = held.runs()
        ended = cancelling.cancelled(held, cancelling.WAYS[way])
    assert_cancelled(stack, held.job_id)
    runs = held.runs()
    if state == "running":
        assert ended.child is not None
        assert ended.child < 5
    if state in ("starting", "running"):
        assert [run.status for run in runs] == [dg.DagsterRunStatus.CANCELED]
        # Every step may be tried again, but not after that.
        assert not instance.all_logs(runs[0].run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    if state in ("waiting", "retry-waiting"):
        assert runs == before
    assert all(run.status == dg.DagsterRunStatus.CANCELED for run in runs if run not in before)
    assert not (stack.settings.store / "videos" / video).exists()


def assert_cancelled(stack: RunningStack, job_id: str) -> None:
    """As any BullMQ client sees it."""
    fields = jobs.fields(stack, job_id)
    assert fields["failedReason"] == "cancelled"
    assert json.loads(fields["progress"])["error"]["class"] == "cancelled"
    assert [event["jobId"] for _, event in jobs.events(stack, "failed")].count(job_id) == 1
    assert not stack.redis.exists(f"bull:video-intake:{job_id}:lock")


def test_the_slot_is_free_for_the_next(stack: RunningStack, long_clip: Path, clip: Path) -> None:
    arguments: list[str | Path] = ["submit", long_clip, "--video-id", "stopped", "--preset", "premium", "--wait"]
    with stack.following(*arguments) as waiting:
        wait_for(states.Held(stack, "stopped").encoders)
        assert stack.command("cancel", "stopped").returncode == 0
        assert waiting.wait(60) == 130
    after = stack.command("submit", clip, "--video-id", "after-stopped", "--preset", "draft", "--wait")
    assert after.returncode == 0, after.stderr


def test_a_waiting_job_is_cancelled_while_the_worker_is_busy(stack: RunningStack, long_clip: Path) -> None:
    queue = bull(stack.settings)
    with states.running(stack, long_clip, "busy") as busy:
        others = [jobs.add(stack, long_clip, f"waits-{number}") for number in range(3)]
        assert stack.command("cancel", "waits-2").returncode == 0
        wait_for(lambda: queue.state(others[2]) == "failed")
        assert_cancelled(stack, others[2])
        # The busy one and those before it were left alone.
        assert [queue.state(job) for job in (busy.job_id, *others[:2])] == ["active", "waiting", "waiting"]
        # One whose turn has not come is held without a run.
        second = jobs.add(stack, long_clip, "busy", preset="draft")
        for video in ("waits-0", "waits-1", "busy"):
            assert stack.command("cancel", video).returncode == 0
        for job in (busy.job_id, *others, second):
            wait_for(lambda job=job: queue.state(job) == "failed")  # type: ignore[misc]
            assert_cancelled(stack, job)
    wait_for(lambda: cancelling.idle(stack))


def test_what_a_control_job_answers(stack: RunningStack, long_clip: Path) -> None:
    control = "bull:video-intake-control"
    with states.waiting(stack, long_clip, "asked-for") as held:
        asked = jobs.send(stack, jobs.CONTROL, "cancel", {"videoId": "asked-for"}, {})
        wait_for(lambda: stack.redis.zscore(f"{control}:completed", asked))
        assert json.loads(stack.redis.hget(f"{control}:{asked}", "returnvalue")) == {"cancelled": [held.job_id]}
        wait_for(lambda: held.state == "failed")
        assert_cancelled(stack, held.job_id)
        for name, data, named in (
            ("cancel", {"videoId": "never-heard-of"}, "never-heard-of"),
            ("cancel", {"jobId": held.job_id}, held.job_id),
            ("cancel", {"video": "asked-for"}, "give jobId or videoId"),
            ("stop", {"videoId": "asked-for"}, "stop"),
        ):
            refused = jobs.send(stack, jobs.CONTROL, name, data, {"attempts": 3})
            wait_for(lambda job=refused: stack.redis.zscore(f"{control}:failed", job))  # type: ignore[misc]
            reason = stack.redis.hget(f"{control}:{refused}", "failedReason")
            assert reason.startswith("permanent: ")
            assert named in reason


def test_cancel_of_nothing_says_so(stack: RunningStack) -> None:
    done = stack.command("cancel", "never-heard-of")
    assert done.returncode == 2
    assert "never-heard-of" in done.stderr


def test_dagster_refuses_to_terminate_what_is_starting_kindly(stack: RunningStack, long_clip: Path) -> None:
    """So that whoever reads the table of ways finds it changed when Dagster changes."""
    with states.starting(stack, long_clip, "kindly") as held:
        (answer,) = cancelling.terminate(held, "SAFE_TERMINATE")
        assert "STARTING" in answer["message"]
        cancelling.cancelled(held, cancelling.by_job_id)


@pytest.mark.parametrize("parts", [("worker", "code-server"), ("daemon", "code-server")], ids=lambda parts: parts[0])
def test_a_request_outlives_the_worker_and_whoever_shall_act_on_it(
    tmp_path: Path, long_clip: Path, parts: tuple[str, ...]
) -> None:
    home = tmp_path / "home"
    with up(home) as stack, states.running(stack, long_clip, "restarted") as held:
        # Nobody acts on the request before everything is gone.
        held.stop("code-server")
        cancelling.by_command(held)
        assert bull(stack.settings).ledger.cancels() == {held.job_id}
        for part in parts:
            os.kill(stack.addresses["children"][part], signal.SIGKILL)
        stack.process.wait(60)
    with up(home) as stack:
        held.stack = stack
        wait_for(lambda: held.state == "failed")
        assert_cancelled(stack, held.job_id)
        wait_for(lambda: cancelling.idle(stack))
        assert bull(stack.settings).ledger.cancels() == set()
        # Also if somebody else was the first to see that its worker is gone.
        assert [run.status for run in held.runs()] == [dg.DagsterRunStatus.CANCELED]
        assert not held.encoders()
