"""Jobs that cannot be done, are cancelled, or lose their worker."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest

from video_pipeline.execution.tags import JOB_TAG, VIDEO_TAG
from video_pipeline.intake.bull import bull
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.processes import encoders, processes, wait_for

pytestmark = pytest.mark.e2e


def job(stack: RunningStack, job_id: str) -> dict[str, str]:
    found: dict[str, str] = stack.redis.hgetall(f"bull:video-intake:{job_id}")
    return found


def ended(stack: RunningStack, job_id: str) -> str:
    queue = bull(stack.settings)
    return wait_for(lambda: state if (state := queue.state(job_id)) in ("completed", "failed") else None, 90)


def ffmpegs(stack: RunningStack) -> list[psutil.Process]:
    """Encoders that run for this stack."""
    return encoders(processes(stack.home))


def test_a_source_that_is_no_video_fails_for_good(stack: RunningStack, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video at all\n" * 100)
    done = stack.command("submit", text, "--video-id", "notes", "--wait")
    assert done.returncode == 2
    assert "notes.mp4" in done.stderr.splitlines()[-1]
    (job_id,) = [i for i in stack.redis.zrange("bull:video-intake:failed", 0, -1) if "notes" in str(job(stack, i))]
    fields = job(stack, job_id)
    assert fields["failedReason"].startswith("permanent: ")
    assert "notes.mp4" in fields["failedReason"]
    assert fields["atm"] == "1"
    status = json.loads(stack.command("status", "notes", "--json").stdout)
    assert (status["state"], status["reason"]) == ("failed", fields["failedReason"])
    assert not (stack.settings.store / "videos" / "notes").exists()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"schemaVersion": 1, "source": "/a.mp4", "watermark": "x"}, "watermark"),
        ({"schemaVersion": 2, "source": "/a.mp4"}, "schemaVersion"),
        ({"schemaVersion": 1}, "source"),
        ({"schemaVersion": 1, "source": "/a.mp4", "videoId": "No Good"}, "videoId"),
        ({"schemaVersion": 1, "source": "/a.mp4", "preset": "huge"}, "huge"),
        ({"schemaVersion": 1, "source": "gopher://a/b.mp4"}, "gopher"),
        ("just words", "job data"),
    ],
)
def test_job_data_that_cannot_be_used_fail_by_name(stack: RunningStack, data: Any, named: str) -> None:
    job_id = bull(stack.settings).add(data, attempts=3)
    assert ended(stack, job_id) == "failed"
    fields = job(stack, job_id)
    assert fields["failedReason"].startswith("permanent: ")
    assert named in fields["failedReason"]
    assert fields["atm"] == "1"


def test_cancel_stops_the_encoder_and_the_worker_goes_on(
    stack: RunningStack, long_clip: Path, clip: Path, instance: dg.DagsterInstance
) -> None:
    arguments: list[str | Path] = ["submit", long_clip, "--video-id", "stopped", "--preset", "premium", "--wait"]
    with stack.following(*arguments) as waiting:
        wait_for(lambda: ffmpegs(stack), 60)
        assert stack.command("cancel", "stopped").returncode == 0
        assert waiting.wait(60) == 130
    assert ffmpegs(stack) == []
    (run,) = instance.get_runs(dg.RunsFilter(tags={VIDEO_TAG: "stopped"}))
    assert run.status == dg.DagsterRunStatus.CANCELED
    assert job(stack, run.tags[JOB_TAG])["failedReason"] == "cancelled"
    after = stack.command("submit", clip, "--video-id", "after-stopped", "--preset", "draft", "--wait")
    assert after.returncode == 0


def test_a_waiting_job_is_cancelled_while_the_worker_is_busy(stack: RunningStack, long_clip: Path) -> None:
    busy = json.loads(stack.command("submit", long_clip, "--video-id", "busy", "--preset", "web", "--json").stdout)
    wait_for(lambda: ffmpegs(stack), 60)
    waiting = [
        json.loads(stack.command("submit", long_clip, "--video-id", f"waits-{n}", "--json").stdout)["jobId"]
        for n in range(3)
    ]
    assert stack.command("cancel", "waits-2").returncode == 0
    assert ended(stack, waiting[2]) == "failed"
    assert job(stack, waiting[2])["failedReason"] == "cancelled"
    # The busy one and those before it were left alone.
    queue = bull(stack.settings)
    assert queue.state(busy["jobId"]) == "active"
    assert queue.state(waiting[0]) == "waiting"
    for video in ("waits-0", "waits-1", "busy"):
        assert stack.command("cancel", video).returncode == 0
    for job_id in (*waiting, busy["jobId"]):
        assert ended(stack, job_id) == "failed"


def test_cancel_of_nothing_says_so(stack: RunningStack) -> None:
    done = stack.command("cancel", "never-heard-of")
    assert done.returncode == 2
    assert "never-heard-of" in done.stderr


def test_a_killed_worker_costs_nothing_but_time(
    stack: RunningStack, long_clip: Path, instance: dg.DagsterInstance
) -> None:
    arguments: list[str | Path] = [
        "submit",
        long_clip,
        "--video-id",
        "survivor",
        "--preset",
        "draft",
        "--wait",
        "--json",
    ]
    with stack.following(*arguments) as waiting:
        (encoder,) = wait_for(lambda: ffmpegs(stack), 60)
        child = encoder.parent()
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
        # The encoder dies with its worker.
        wait_for(lambda: not encoder.is_running() or encoder.status() == psutil.STATUS_ZOMBIE, 10)
        out, _ = waiting.communicate(timeout=120)
    assert waiting.returncode == 0
    value = json.loads(out)
    runs = instance.get_runs(dg.RunsFilter(tags={VIDEO_TAG: "survivor"}))
    assert sorted(run.status.value for run in runs) == ["FAILURE", "SUCCESS"]
    (job_id,) = {run.tags[JOB_TAG] for run in runs}
    # A lost worker is not the video's fault.
    assert job(stack, job_id).get("atm", "1") == "1"
    assert (stack.settings.store / value["release"]).is_dir()
