"""Jobs that cannot be done, are cancelled, or lose their worker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

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
