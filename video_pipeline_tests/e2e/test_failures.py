"""Jobs that cannot be done, however often they are tried."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from video_pipeline.intake.bull import bull
from video_pipeline_tests.e2e import jobs
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.seeded import replace_blob

pytestmark = pytest.mark.e2e


def test_a_source_that_is_no_video_fails_for_good(stack: RunningStack, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video at all\n" * 100)
    done = stack.command("submit", text, "--video-id", "notes", "--wait")
    assert done.returncode == 2
    assert "notes.mp4" in done.stderr.splitlines()[-1]
    (job_id,) = [
        i for i in stack.redis.zrange("bull:video-intake:failed", 0, -1) if "notes" in str(jobs.fields(stack, i))
    ]
    fields = jobs.fields(stack, job_id)
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
    assert jobs.ended(stack, job_id) == "failed"
    fields = jobs.fields(stack, job_id)
    assert fields["failedReason"].startswith("permanent: ")
    assert named in fields["failedReason"]
    assert fields["atm"] == "1"


def test_what_fails_its_checks_is_not_published_and_not_tried_again(
    stack: RunningStack, make_clip: Callable[..., Path]
) -> None:
    clip, store = make_clip("damaged.mp4", seconds=3, size="256x144"), stack.settings.store
    assert jobs.ended(stack, jobs.add(stack, clip, "undamaged")) == "completed"
    # The largest of the packaged files loses its end, not its size; the next video takes it as it is.
    media = max((store / "videos" / "undamaged" / "media").iterdir(), key=lambda path: path.stat().st_size)
    replace_blob(store, media.stem, media.read_bytes()[:-10_000] + bytes(10_000))
    shutil.rmtree(store / "checkpoints" / "quality")
    job_id = jobs.add(stack, clip, "damaged", attempts=3)
    assert jobs.ended(stack, job_id) == "failed"
    fields = jobs.fields(stack, job_id)
    assert fields["failedReason"].startswith("permanent: check decodes failed: ")
    found = json.loads(fields["progress"])["error"]
    assert (found["class"], found["code"], found["attempt"], fields["atm"]) == ("permanent", "check", 1, "1")
    (run,) = jobs.runs(stack, job_id)
    assert (run.run_id, run.status.value) == (found["runId"], "FAILURE")
    assert not (store / "videos" / "damaged").exists()
