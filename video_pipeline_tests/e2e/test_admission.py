"""Which job is taken next, and when none is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline.intake.bull import bull
from video_pipeline_tests.e2e import jobs
from video_pipeline_tests.e2e.apart import SLOTS, Apart
from video_pipeline_tests.processes import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
PRIORITIES = [5, 1, 9, 0, 3, 7, 1, 12, 0, 2, 8, 4, 10, 6, 1, 30, 9, 0, 5, 2]


@pytest.fixture(scope="module")
def tiny(apart: Apart, make_clip: Callable[..., Path]) -> Path:
    """Processed once: every further video of it costs a lookup."""
    path = make_clip("tiny.mp4", seconds=1, size="160x90")
    assert jobs.ended(apart, jobs.add(apart, path, "tiny")) == "completed"
    return path


def test_jobs_come_out_in_the_order_of_their_priorities(apart: Apart, tiny: Path) -> None:
    assert apart.command("pause").returncode == 0
    job_ids = [
        jobs.add(apart, tiny, f"mixed-{number}", priority=priority) for number, priority in enumerate(PRIORITIES)
    ]
    assert apart.command("resume").returncode == 0
    busiest = 0

    def done() -> bool:
        nonlocal busiest
        busiest = max(busiest, apart.redis.llen("bull:video-intake:active"))
        return all(jobs.state(apart, job_id) == "completed" for job_id in job_ids)

    wait_for(done, 2 * jobs.PATIENCE)
    assert busiest == SLOTS
    # The smallest number first, and among equals whoever came first; 0 is BullMQ's "no priority", which goes first.
    wanted = [job_id for _, job_id in sorted(zip(PRIORITIES, job_ids, strict=True), key=lambda pair: pair[0])]
    taken = [event["jobId"] for _, event in jobs.events(apart, "active")]
    assert [job_id for job_id in taken if job_id in job_ids] == wanted
    # Dagster's queue changed nothing of it: with two slots, a run overtakes its neighbour at most.
    started = [started_at(apart, job_id) for job_id in wanted]
    assert all(one < later for one, later in zip(started, started[SLOTS:], strict=False))


def started_at(stack: Apart, job_id: str) -> float:
    (run,) = jobs.runs(stack, job_id)
    with stack.instance() as instance:
        record = instance.get_run_record_by_id(run.run_id)
    assert record is not None
    assert record.start_time is not None
    return record.start_time


def test_long_bulk_work_leaves_a_slot(apart: Apart, tiny: Path, long_clip: Path) -> None:
    bulk = [jobs.add(apart, long_clip, f"bulk-{number}", preset="premium", priority=20 + number) for number in range(3)]
    apart.encoding()
    for number in range(2):
        # Only now: whoever comes later still goes before them.
        urgent = jobs.add(apart, tiny, f"urgent-{number}", priority=9)
        assert jobs.ended(apart, urgent) == "completed"
        assert [jobs.state(apart, job_id) for job_id in bulk] == ["active", "prioritized", "prioritized"]
    assert len({encoder.ppid() for encoder in apart.encoders()}) == 1
    for number in range(3):
        assert apart.command("cancel", f"bulk-{number}").returncode == 0
    assert {jobs.ended(apart, job_id) for job_id in bulk} == {"failed"}


def test_a_paused_queue_finishes_what_runs_and_takes_nothing(
    apart: Apart, tiny: Path, make_clip: Callable[..., Path]
) -> None:
    running = jobs.add(apart, make_clip("paused.mp4", seconds=7, size="640x360"), "paused-running", preset="web")
    apart.encoding()
    done = apart.command("pause")
    assert "video-pipeline resume" in done.stdout
    waiting = jobs.add(apart, tiny, "paused-waiting")
    first = jobs.add(apart, tiny, "paused-first", priority=1)
    assert jobs.ended(apart, running) == "completed"
    status = apart.command("status").stdout
    assert "the queue is paused" in status
    found = json.loads(apart.command("status", "--json").stdout)
    assert found["paused"]
    assert (found["queue"]["active"], sum(worker["busy"] for worker in found["workers"])) == (0, 0)
    assert bull(apart.settings).ledger.claims() == {}
    assert jobs.runs(apart, waiting) == jobs.runs(apart, first) == []
    assert apart.command("resume").returncode == 0
    assert [jobs.ended(apart, job_id) for job_id in (waiting, first)] == ["completed", "completed"]
    assert not json.loads(apart.command("status", "--json").stdout)["paused"]
