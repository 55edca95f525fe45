"""What happens to a job follows from the class of its error; each is really caused here."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from video_pipeline_tests.e2e import jobs, states
from video_pipeline_tests.e2e.apart import Apart
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.processes import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
DELAY = 10_000
"""ms; jitter takes up to a half off."""
SOON = {"type": "fixed", "delay": 500}


def failed_attempts(stack: RunningStack, job_id: str) -> int:
    return int(jobs.fields(stack, job_id).get("atm", 0))


def comes_back(stack: RunningStack, job_id: str) -> tuple[float, float]:
    """How long a delayed job waits from when it was put off, and when it comes back: seconds."""
    wait_for(lambda: jobs.state(stack, job_id) == "delayed", jobs.PATIENCE)
    # BullMQ keeps milliseconds times 4096 plus a counter.
    due = stack.redis.zscore("bull:video-intake:delayed", job_id) / 0x1000 / 1000
    put_off = [when for when, event in jobs.events(stack, "delayed") if event["jobId"] == job_id][-1] / 1000
    return due - put_off, due


def why(stack: RunningStack, job_id: str) -> dict[str, Any]:
    """The structured reason, which is in the progress and in the stacktrace."""
    fields = jobs.fields(stack, job_id)
    found: dict[str, Any] = json.loads(fields["progress"])["error"]
    assert json.loads(json.loads(fields["stacktrace"])[-1]) == found
    kind, _, sentence = fields["failedReason"].partition(": ")
    assert (found["class"], found["message"]) == (kind, sentence)
    return found


def assert_status_says(stack: RunningStack, video: str, job_id: str, due: float) -> None:
    """When the next attempt begins and why there is one, in JSON and for people."""
    reason = jobs.fields(stack, job_id)["failedReason"]
    of_video = json.loads(stack.command("status", video, "--json").stdout)
    (found,) = of_video["jobs"]
    assert (found["state"], found["lastFailure"]) == ("delayed", reason)
    assert abs(datetime.fromisoformat(found["nextAttempt"]).timestamp() - due) <= 1
    assert (of_video["state"], of_video["reason"]) == ("retry", reason)
    text = stack.command("status").stdout
    (line,) = [line for line in text.splitlines() if line.startswith(video) and found["nextAttempt"] in line]
    assert reason in line
    assert found["nextAttempt"] in stack.command("status", video).stdout


@pytest.mark.slow
def test_transient_comes_back_later_and_later_and_goes_on_from_what_is_finished(
    apart: Apart, make_clip: Callable[..., Path]
) -> None:
    clip = make_clip("again.mp4", seconds=7, size="640x360")
    backoff = {"type": "exponential", "delay": DELAY, "jitter": 0.5}
    before = {words: apart.calls(*words) for words in (("libx264",), ("aac",))}
    job_id = jobs.add(apart, clip, "again", preset="premium", attempts=4, backoff=backoff)
    waits = []
    for attempt in (1, 2):
        # The step's own retry takes the first.
        states.kill_encoders(apart.encoders, lambda n=attempt: failed_attempts(apart, job_id) == n)  # type: ignore[misc]
        wait, due = comes_back(apart, job_id)
        assert DELAY / 1000 * 2 ** (attempt - 1) / 2 - 0.1 <= wait <= DELAY / 1000 * 2 ** (attempt - 1) + 0.1
        waits.append(wait)
        assert failed_attempts(apart, job_id) == attempt
        found = why(apart, job_id)
        assert (found["class"], found["code"], found["attempt"]) == ("transient", "command", attempt)
        assert found["runId"] == jobs.runs(apart, job_id)[-1].run_id
        if attempt == 2:
            assert_status_says(apart, "again", job_id, due)
    assert waits[0] < waits[1]
    assert jobs.ended(apart, job_id) == "completed"
    assert failed_attempts(apart, job_id) == 3
    assert [run.status.value for run in jobs.runs(apart, job_id)] == ["FAILURE", "FAILURE", "SUCCESS"]
    # Twice two killed encodes, which may have been dead before they were counted, and a good one; the sound was
    # finished at the first attempt.
    assert 1 <= apart.calls("libx264") - before["libx264",] <= 5
    assert apart.calls("aac") - before["aac",] == 1


def test_attempts_are_used_up(stack: RunningStack, long_clip: Path) -> None:
    job_id = jobs.add(stack, long_clip, "no-more", preset="premium", attempts=2, backoff=SOON)
    encoders = states.Held(stack, "no-more").encoders
    states.kill_encoders(encoders, lambda: jobs.state(stack, job_id) in ("completed", "failed"))
    assert jobs.ended(stack, job_id) == "failed"
    assert failed_attempts(stack, job_id) == 2
    assert why(stack, job_id)["attempt"] == 2
    status = json.loads(stack.command("status", "no-more", "--json").stdout)
    assert status["state"] == "failed"
    assert status["reason"].startswith("transient: ")


def test_a_worker_that_is_lost_twice_burns_one_attempt(apart: Apart, make_clip: Callable[..., Path]) -> None:
    clip = make_clip("lost.mp4", seconds=9, size="640x360")
    job_id = jobs.add(apart, clip, "lost", preset="premium", attempts=2, backoff=SOON)
    killed: set[int] = set()
    for times in (1, 2):
        (encoder, *_) = wait_for(lambda: [one for one in apart.encoders() if one.pid not in killed], jobs.PATIENCE)
        killed.add(encoder.pid)
        child = encoder.parent()
        assert child is not None
        child.kill()
        # The encoder dies with its worker.
        wait_for(lambda one=encoder: not one.is_running() or one.status() == "zombie", 5)  # type: ignore[misc]
        wait_for(lambda n=times: sum(run.is_finished for run in jobs.runs(apart, job_id)) == n)  # type: ignore[misc]
        assert failed_attempts(apart, job_id) == 0 or times == 2
    wait_for(lambda: failed_attempts(apart, job_id) == 1, jobs.PATIENCE)
    found = json.loads(jobs.fields(apart, job_id)["progress"]).get("error") or why(apart, job_id)
    assert (found["class"], found["code"], found["attempt"]) == ("transient", "lost", 1)
    assert jobs.ended(apart, job_id) == "completed"
    assert failed_attempts(apart, job_id) == 2
    assert [run.status.value for run in jobs.runs(apart, job_id)] == ["FAILURE", "FAILURE", "SUCCESS"]


@contextmanager
def without_ffmpeg(stack: Apart) -> Iterator[str]:
    away = stack.ffmpeg.with_suffix(".away")
    stack.ffmpeg.rename(away)
    try:
        yield "tool"
    finally:
        away.rename(stack.ffmpeg)


@contextmanager
def without_space(stack: Apart) -> Iterator[str]:
    place = stack.settings.scratch
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip("needs root that may mount a tmpfs")
    try:
        yield "disk-full"
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("trouble", [without_ffmpeg, without_space])
def test_what_is_missing_costs_no_attempt_and_is_looked_for_again(
    apart: Apart, make_clip: Callable[..., Path], trouble: Callable[[Apart], Any]
) -> None:
    clip = make_clip(f"{trouble.__name__}.mp4", seconds=2, rate="24")
    video = trouble.__name__.replace("_", "-")
    with trouble(apart) as code:
        job_id = jobs.add(apart, clip, video)
        wait, due = comes_back(apart, job_id)
        assert 3.7 <= wait <= 5.1
        assert (why(apart, job_id)["class"], why(apart, job_id)["code"]) == ("dependency", code)
        assert failed_attempts(apart, job_id) == 0
        # Still missing when it comes back: it waits longer.
        wait_for(lambda: (jobs.state(apart, job_id) == "delayed") and len(jobs.runs(apart, job_id)) == 2, jobs.PATIENCE)
        wait, due = comes_back(apart, job_id)
        assert 7.4 <= wait <= 10.1
        assert_status_says(apart, video, job_id, due)
    assert jobs.ended(apart, job_id) == "completed"
    assert time.time() >= due, "it came by itself, when it was due"
    assert failed_attempts(apart, job_id) == 1
