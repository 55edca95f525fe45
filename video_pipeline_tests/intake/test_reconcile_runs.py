"""Ticks of the reconciler: which runs are ours, and how many there may be."""

from __future__ import annotations

import uuid

import dagster as dg

from video_pipeline_tests.intake.ticking import World, publish, put_back

DATA = {"schemaVersion": 1, "source": "/a.mp4"}


def test_a_job_whose_run_lives_is_adopted(world: World) -> None:
    job_id = world.bull.add({**DATA, "videoId": "a"})
    (wanted,) = world.tick()
    run_id = world.run(wanted, dg.DagsterRunStatus.STARTED)
    put_back(world, job_id)
    assert world.tick() == []
    run = world.instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.STARTED
    assert world.bull.state(job_id) == "active"
    (held,) = world.active.held()
    assert held.claim is not None
    assert wanted.run_key.endswith(str(held.claim.number))


def test_a_run_from_the_ui_takes_a_slot_and_one_that_waits_does_not(world: World) -> None:
    """There are two slots."""
    for status in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.NOT_STARTED):
        world.instance.add_run(dg.DagsterRun("process_video", str(uuid.uuid4()), status=status))
    for name in ("a", "b"):
        world.bull.add({**DATA, "videoId": name})
    assert [wanted.video_id for wanted in world.tick()] == ["a"]


def test_a_run_executed_again_from_the_ui_is_left_alone(world: World) -> None:
    """It has the tags of the run it repeats."""
    world.bull.add({**DATA, "videoId": "a"})
    (wanted,) = world.tick()
    first = world.run(wanted, dg.DagsterRunStatus.FAILURE)
    publish(world)
    assert world.tick() == []
    again = dg.DagsterRun(
        "process_video",
        str(uuid.uuid4()),
        tags=wanted.tags,
        status=dg.DagsterRunStatus.STARTED,
        parent_run_id=first,
        root_run_id=first,
    )
    world.instance.add_run(again)
    assert world.tick() == []
    run = world.instance.get_run_by_id(again.run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.STARTED


def test_a_run_whose_worker_was_gone_before_the_cancel_is_cancelled(world: World) -> None:
    """Dagster's monitor may have called it a failure already."""
    job_id = world.bull.add({**DATA, "videoId": "a"})
    (wanted,) = world.tick()
    run_id = world.run(wanted, dg.DagsterRunStatus.FAILURE)
    world.bull.ledger.cancel(job_id)
    assert world.tick() == []
    run = world.instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.CANCELED
    job = world.bull.job(job_id)
    assert job is not None
    assert job.failedReason == "cancelled"


def test_bulk_work_leaves_a_slot(world: World) -> None:
    for name in ("a", "b"):
        world.bull.add({**DATA, "videoId": name}, priority=10)
    assert [wanted.video_id for wanted in world.tick()] == ["a"]
    world.bull.add({**DATA, "videoId": "c"}, priority=9)
    assert [wanted.video_id for wanted in world.tick()] == ["a", "c"]


def test_a_paused_queue_says_so(world: World) -> None:
    world.bull.add(DATA)
    world.bull.pause(True)
    reconciler = world.reconciler()
    assert reconciler.tick() == []
    assert reconciler.why_idle == "the queue is paused"
