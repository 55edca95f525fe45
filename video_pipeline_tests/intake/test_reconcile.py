"""Ticks of the reconciler against a real queue, index and run storage: what becomes of jobs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from PIL import Image

from video_pipeline.errors import ConflictError
from video_pipeline.intake import room
from video_pipeline.media import tools
from video_pipeline.stores import leases
from video_pipeline.stores.checkpoints import Checkpoints
from video_pipeline.stores.custom_thumbnails import CustomThumbnails
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.intake.ticking import World, publish
from video_pipeline_tests.stores.test_budget import age, made

DATA = {"schemaVersion": 1, "source": "/a.mp4"}


def test_a_job_becomes_one_run(world: World) -> None:
    job_id = world.bull.add({**DATA, "videoId": "a", "title": "A"}, priority=7)
    (wanted,) = world.tick()
    epoch, job, claim = wanted.run_key.split(":")
    assert (epoch, job) == (world.bull.ledger.epoch, job_id)
    assert int(claim) > 10**12
    assert wanted.video_id == "a"
    assert wanted.tags["dagster/priority"] == "-7"
    assert world.sql("SELECT video_id, version, source, title FROM requests") == [("a", 1, "/a.mp4", "A")]
    # Dagster has not heard yet: the same key again, which it would ignore if it had.
    (again,) = world.tick()
    assert again == wanted
    world.run(wanted, dg.DagsterRunStatus.STARTED)
    assert world.tick() == []


def test_no_more_than_there_are_slots_and_in_order(world: World) -> None:
    for name in ("c", "d"):
        world.bull.add({**DATA, "videoId": name}, priority=2)
    for name in ("a", "b"):
        world.bull.add({**DATA, "videoId": name}, priority=1)
    first = world.tick()
    assert [wanted.video_id for wanted in first] == ["a", "b"]
    for wanted in first:
        world.run(wanted, dg.DagsterRunStatus.STARTED)
    assert world.tick() == []
    assert world.bull.counts()["prioritized"] == 2


def test_a_lost_worker_gets_a_second_run_under_another_key(world: World) -> None:
    world.bull.add({**DATA, "videoId": "a"}, attempts=2)
    (first,) = world.tick()
    world.run(first, dg.DagsterRunStatus.FAILURE)
    (second,) = world.tick()
    assert second.run_key != first.run_key
    assert second.tags["video/request"] == first.tags["video/request"]
    world.run(second, dg.DagsterRunStatus.FAILURE)
    assert world.tick() == []
    assert world.bull.counts()["delayed"] == 1, "lost twice is a failed attempt"


def test_a_run_that_could_not_be_started_costs_no_attempt(world: World) -> None:
    job_id = world.bull.add({**DATA, "videoId": "a"}, attempts=1)
    for _ in range(3):
        (wanted,) = world.tick()
        run_id = world.run(wanted, dg.DagsterRunStatus.FAILURE, started=False)
        assert world.tick() == []
        job = world.bull.job(job_id)
        assert job is not None
        assert world.bull.state(job_id) == "delayed"
        assert job.failedReason.startswith(f"dependency: run {run_id} could not be started")
        world.bull.loop.run(job.promote())


def test_a_tick_that_died_after_taking_is_repaired(world: World) -> None:
    world.bull.add({**DATA, "videoId": "a"})
    world.active.take(1, 1)  # and then nothing: no claim was written
    (wanted,) = world.tick()
    assert wanted.video_id == "a"
    assert world.sql("SELECT count(*) FROM requests") == [(1,)]


def test_a_video_gets_its_id_before_its_run(world: World) -> None:
    job_id = world.bull.add(DATA)
    (wanted,) = world.tick()
    job = world.bull.job(job_id)
    assert job is not None
    assert job.data["videoId"] == wanted.video_id
    assert len(wanted.video_id) >= 20


def test_two_jobs_of_one_video_follow_each_other(world: World) -> None:
    world.bull.add({**DATA, "videoId": "a"})
    (wanted,) = world.tick()
    world.run(wanted, dg.DagsterRunStatus.STARTED)
    second = world.bull.add({**DATA, "videoId": "a", "title": "newer"})
    third = world.bull.add({**DATA, "videoId": "a", "title": "newest"})
    assert world.tick() == []
    assert world.sql("SELECT version, title FROM requests ORDER BY version") == [(1, None), (2, "newer"), (3, "newest")]
    # Meanwhile they take no slot.
    world.bull.add({**DATA, "videoId": "b"})
    assert [found.video_id for found in world.tick()] == ["b"]
    world.bull.ledger.cancel(second)
    world.end(wanted, dg.DagsterRunStatus.FAILURE)
    publish(world)
    (found, _) = world.tick()
    assert found.tags["video/request"] == "3"
    assert world.bull.state(second) == "failed"
    assert world.bull.state(third) == "active"


@pytest.mark.parametrize("other", [{"trim": {"start": 2}}, {"poster": "50%"}, {"audio": "none"}])
def test_another_option_is_another_wish(world: World, tmp_path: Path, other: dict[str, Any]) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(b"x")
    data = {**DATA, "source": str(source), "videoId": "a", "trim": {"start": 1}}
    for wish in (data, data, {**data, **other}):
        world.bull.add(wish)
        world.tick()
    assert world.sql("SELECT count(*) FROM requests") == [(2,)]


def test_a_subtitle_file_that_was_changed_is_another_wish(world: World, tmp_path: Path) -> None:
    source, text = tmp_path / "a.mp4", tmp_path / "a.srt"
    for file in (source, text):
        file.write_bytes(b"x")
    sidecar = {"source": str(text), "language": "en"}
    data = {**DATA, "source": str(source), "videoId": "a", "subtitles": [sidecar]}
    for _ in range(2):
        world.bull.add(data)
        world.tick()
    assert world.sql("SELECT count(*) FROM requests") == [(1,)]
    os.utime(text, (time.time() + 60, time.time() + 60))
    world.bull.add(data)
    world.tick()
    assert world.sql("SELECT count(*) FROM requests") == [(2,)]


def test_the_same_wish_is_answered_by_the_run_that_is_there(world: World, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(b"x")
    data = {**DATA, "source": str(source), "videoId": "a"}
    first = world.bull.add(data)
    (wanted,) = world.tick()
    world.run(wanted, dg.DagsterRunStatus.STARTED)
    second = world.bull.add(data)
    assert world.tick() == []
    assert world.sql("SELECT count(*) FROM requests") == [(1,)]
    publish(world)
    world.end(wanted, dg.DagsterRunStatus.SUCCESS)
    assert world.tick() == []
    assert [world.bull.state(job) for job in (first, second)] == ["completed"] * 2
    # A file that was changed since is another wish.
    world.bull.add(data)
    world.tick()
    os.utime(source, (time.time() + 60, time.time() + 60))
    world.bull.add(data)
    world.tick()
    assert world.sql("SELECT count(*) FROM requests") == [(3,)]


def test_a_thumbnail_that_was_brought_meanwhile_is_another_wish(world: World, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(b"x")
    data = {**DATA, "source": str(source), "videoId": "a"}
    for _ in range(2):
        world.bull.add(data)
        world.tick()
    assert world.sql("SELECT count(*) FROM requests") == [(1,)]
    Image.new("RGB", (32, 18)).save(tmp_path / "a.png")
    kept = CustomThumbnails(world.requests.index, LocalStore(tmp_path / "store"))
    kept.set("a", str(tmp_path / "a.png"), 1, tools.find(), tmp_path)
    leases.end(tmp_path / "store")
    world.bull.add(data)
    world.tick()
    assert world.sql("SELECT count(*) FROM requests") == [(2,)]


def test_published_is_completed_whatever_colour_the_run_has(world: World) -> None:
    job_id = world.bull.add({**DATA, "videoId": "a"})
    (wanted,) = world.tick()
    world.run(wanted, dg.DagsterRunStatus.FAILURE)
    publish(world)
    assert world.tick() == []
    job = world.bull.job(job_id)
    assert job is not None
    assert world.bull.state(job_id) == "completed"
    assert job.returnvalue["hls"] == "videos/a/master.m3u8"
    assert world.active.held() == []


def test_job_ids_that_repeat_are_other_jobs(world: World) -> None:
    world.bull.add({**DATA, "videoId": "a"}, job_id="same")
    (first,) = world.tick()
    (held,) = world.active.held()
    world.active.fail(held.job, "permanent: x", {}, final=True)
    world.bull.redis.delete(world.bull.key("same"))
    world.bull.add({**DATA, "videoId": "a", "title": "another life"}, job_id="same")
    (second,) = world.tick()
    assert second.run_key != first.run_key
    assert world.sql("SELECT version, title FROM requests ORDER BY version") == [(1, None), (2, "another life")]


def test_nothing_is_claimed_on_a_full_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints that no run uses go first."""
    world.bull.settings = world.settings.model_copy(update={"min_free_gb": 1e9})
    store = LocalStore(world.settings.store)
    used, unused = made(store, "used"), made(store, "unused")
    leases.end(store.root)
    age(store, "used", "unused")
    Checkpoints(store).renew([used.media[0].file])
    monkeypatch.setattr(room, "_next_relief", 0.0)
    job_id = world.bull.add(DATA)
    reconciler = world.reconciler()
    assert reconciler.tick() == []
    assert "GB free" in reconciler.why_idle
    assert world.bull.state(job_id) == "waiting"
    assert store.stat(used.media[0].file.key) is not None
    assert store.stat(unused.media[0].file.key) is None
    leases.end(store.root)


def test_nothing_is_claimed_without_a_worker(world: World) -> None:
    world.bull.redis.delete(world.bull.ledger.keys.workers)
    job_id = world.bull.add(DATA)
    assert world.tick() == []
    assert world.bull.state(job_id) == "waiting"


def test_a_job_that_cannot_be_stored_does_not_stop_the_others(world: World) -> None:
    bad = world.bull.add({**DATA, "videoId": "bad", "metadata": {"t": "\ud800"}}, attempts=3)
    world.bull.add({**DATA, "videoId": "good"})
    (wanted,) = world.tick()
    assert wanted.video_id == "good"
    assert world.bull.state(bad) == "failed"
    job = world.bull.job(bad)
    assert job is not None
    assert job.failedReason.startswith("permanent: ")
    assert world.bull.ledger.notes("bad")["state"] == "failed"


def test_a_damaged_pointer_is_the_trouble_of_its_video_only(world: World) -> None:
    broken = world.bull.add({**DATA, "videoId": "a"}, attempts=2)
    (wanted,) = world.tick()
    world.run(wanted, dg.DagsterRunStatus.FAILURE)
    publish(world)
    (world.settings.store / "videos" / "a" / "current.json").write_text("{")
    world.bull.add({**DATA, "videoId": "b"})
    assert [wanted.video_id for wanted in world.tick()] == ["b"]
    assert world.bull.state(broken) == "delayed"


def test_a_moment_without_the_index_costs_no_attempt(world: World) -> None:
    job_id = world.bull.add({**DATA, "videoId": "a"})
    (wanted,) = world.tick()
    world.run(wanted, dg.DagsterRunStatus.SUCCESS)
    publish(world)
    index, away = world.settings.home / "index.db", world.settings.home / "away.db"
    index.rename(away)
    assert world.tick() == []
    assert world.bull.state(job_id) == "delayed"
    away.rename(index)
    assert world.bull.redis.hget(world.bull.key(job_id), "atm") in (None, "0")
    world.bull.loop.run(world.bull.queue.backend.promote(job_id))
    assert world.tick() == []
    assert world.bull.state(job_id) == "completed"


def test_a_cancel_that_comes_while_an_attempt_is_failed_is_done(world: World) -> None:
    job_id = world.bull.add({**DATA, "videoId": "a"}, attempts=3)
    for _ in range(2):
        (wanted,) = world.tick()
        world.run(wanted, dg.DagsterRunStatus.FAILURE)
    calls = []

    def keep() -> None:
        calls.append(world.bull.state(job_id))
        if len(calls) == 2:  # all was looked at, and what to do is decided
            world.bull.ledger.cancel(job_id)

    world.reconciler(keep=keep).tick()
    assert calls[:2] == ["active", "active"]
    world.tick()
    job = world.bull.job(job_id)
    assert job is not None
    assert (world.bull.state(job_id), job.failedReason) == ("failed", "cancelled")
    assert world.bull.ledger.cancels() == set()


def test_a_lost_lease_ends_the_tick_before_anything_is_done(world: World) -> None:
    job_id = world.bull.add(DATA)

    def lost() -> None:
        raise ConflictError("another daemon has taken the intake over")

    with pytest.raises(ConflictError):
        world.reconciler(keep=lost).tick()
    assert world.bull.state(job_id) == "waiting"


def test_a_request_to_cancel_an_ended_job_is_dropped(world: World) -> None:
    world.bull.ledger.cancel("no-such-job")
    world.tick()
    assert world.bull.ledger.cancels() == set()
