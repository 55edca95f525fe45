"""Looks at a directory, into a real queue: each version of each file once, whatever is lost on the way."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from video_pipeline.errors import HomeError
from video_pipeline.intake.bull import Bull
from video_pipeline.intake.directory import Seen, look
from video_pipeline.intake.watched import MOST, Outcome, Watch, slug
from video_pipeline.settings import Settings
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests

NOW = 1_790_000_000.0
Tick = Callable[..., Outcome]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    place = tmp_path / "watched"
    place.mkdir()
    return place


@pytest.fixture
def queue(queue_settings: Settings) -> Iterator[Bull]:
    ours = Bull(queue_settings.model_copy(update={"watch_settle_seconds": 5.0, "queue_max_attempts": 3}))
    yield ours
    ours.close()


@pytest.fixture
def requests(queue_settings: Settings) -> Requests:
    index = Index(queue_settings.index_url)
    index.upgrade()
    return Requests(index)


@pytest.fixture
def tick(directory: Path, queue: Bull, requests: Requests) -> Tick:
    """Two looks, so that what is there is complete; returns the second's outcome."""

    def look_twice(cursor: str | None = None) -> Outcome:
        first = Watch(directory, queue, requests).tick(cursor, NOW)
        return Watch(directory, queue, requests).tick(first.cursor, NOW + 60)

    return look_twice


def put(directory: Path, name: str, content: bytes = b"x", at: float = NOW - 3600) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at, at))
    return path


def jobs(queue: Bull) -> list[dict[str, object]]:
    """The data of the waiting jobs, oldest first."""
    ids = reversed(queue.redis.lrange(queue.key("wait"), 0, -1))
    return [json.loads(queue.redis.hget(queue.key(job_id), "data")) for job_id in ids]


def test_a_file_becomes_one_job(directory: Path, queue: Bull, requests: Requests) -> None:
    path = put(directory, "My Clip (2).mp4")
    watch = Watch(directory, queue, requests)
    first = watch.tick(None, NOW)
    assert (first.taken, first.message) == (0, "not complete yet: My Clip (2).mp4")
    second = watch.tick(first.cursor, NOW + 1)
    assert (second.taken, second.cursor) == (1, "{}")
    assert second.message == "taken in: My Clip (2).mp4 as video my-clip-2"
    for later in range(2, 6):
        again = watch.tick(second.cursor, NOW + later)
        assert again.message == f"nothing new among 1 files of {directory}"
    assert jobs(queue) == [
        {"schemaVersion": 1, "source": str(path), "videoId": "my-clip-2", "title": "My Clip (2)"},
    ]
    (job_id,) = queue.redis.lrange(queue.key("wait"), 0, -1)
    job = queue.job(job_id)
    assert job is not None
    assert job.opts["attempts"] == 3


def test_a_changed_file_is_a_new_version_of_its_video(directory: Path, queue: Bull, tick: Tick) -> None:
    put(directory, "clip.mp4")
    tick()
    put(directory, "clip.mp4", b"longer", at=NOW - 1000)
    assert tick().taken == 1
    assert [job["videoId"] for job in jobs(queue)] == ["clip", "clip"]


def test_names_that_give_the_same_id_give_different_videos(
    directory: Path, queue: Bull, requests: Requests, tick: Tick
) -> None:
    requests.add(video_id="taken", source="/elsewhere/taken.mp4", preset="web")
    paths = ["clip.mov", "clip.mp4", "CLIP.mp4", "taken.mp4", "你好.mp4", "你们.mp4", f"{'long' * 20}.mp4"]
    for path in paths:
        put(directory, path)
    assert tick().taken == len(paths)
    first = {str(job["source"]): str(job["videoId"]) for job in jobs(queue)}
    assert len(set(first.values())) == len(paths)
    assert first[str(directory / "CLIP.mp4")] == "clip", "the first by name"
    assert first[str(directory / "clip.mp4")].startswith("clip-")
    assert first[str(directory / "taken.mp4")].startswith("taken-")
    assert first[str(directory / "你好.mp4")].startswith("video-")
    # The same after everything was changed, in whatever order.
    for number, path in enumerate(reversed(paths)):
        put(directory, path, b"changed", at=NOW - number - 100)
        tick()
    assert {str(job["source"]): str(job["videoId"]) for job in jobs(queue)} == first
    assert len(jobs(queue)) == 2 * len(paths)


def test_a_directory_named_like_a_preset_chooses_it(directory: Path, queue: Bull, tick: Tick) -> None:
    for path in ("draft/a.mp4", "trailers/b.mp4", "draft/x/c.mp4", "premium"):
        put(directory, path)
    tick()
    found = {str(job["videoId"]): job.get("preset") for job in jobs(queue)}
    assert found == {"a": "draft", "trailers-b": None, "x-c": "draft", "premium": None}


def test_a_crash_between_queue_and_memory_doubles_nothing(
    directory: Path, queue: Bull, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(directory, "clip.mp4")
    cursor = Watch(directory, queue, requests).tick(None, NOW).cursor
    with monkeypatch.context() as broken:
        # The process ends before anything is remembered.
        broken.setattr(queue.redis, "hset", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            Watch(directory, queue, requests).tick(cursor, NOW + 10)
    assert len(jobs(queue)) == 1
    again = Watch(directory, queue, requests).tick(cursor, NOW + 20)
    assert (again.taken, len(jobs(queue))) == (0, 1)


def test_a_reset_cursor_a_lost_memory_and_a_removed_job_double_nothing(
    directory: Path, queue: Bull, requests: Requests, tick: Tick
) -> None:
    put(directory, "clip.mp4")
    tick()
    assert tick("no json").taken == 0
    (job_id,) = queue.redis.lrange(queue.key("wait"), 0, -1)
    requests.add(video_id="clip", source=str(directory / "clip.mp4"), preset="web", job_id=f"{job_id}:1:x")
    job = queue.job(job_id)
    assert job is not None
    queue.loop.run(job.remove())
    assert tick().taken == 0
    queue.redis.delete(f"{queue.settings.key_prefix}:watched")
    assert tick().taken == 0
    # And its name is still its own.
    put(directory, "clip.mp4", b"changed")
    tick()
    assert [one["videoId"] for one in jobs(queue)] == ["clip"]


def test_many_files_take_turns(directory: Path, queue: Bull, requests: Requests, tick: Tick) -> None:
    for number in range(MOST + 10):
        put(directory, f"{number:05}.mp4")
    first = tick()
    assert first.taken == MOST
    assert first.message.startswith("taken in: 00000.mp4 as video 00000, ")
    assert f" and {MOST - 5} more; not complete yet: 01000.mp4, " in first.message
    assert Watch(directory, queue, requests).tick(first.cursor, NOW + 70).taken == 10
    assert len({str(job["videoId"]) for job in jobs(queue)}) == MOST + 10


def test_files_that_were_complete_all_at_once_lose_no_time(directory: Path, queue: Bull, requests: Requests) -> None:
    for number in range(MOST + 10):
        put(directory, f"{number:05}.mp4")
    seen = {file.path: asdict(Seen(file.version, NOW - 60)) for file in look(directory).files}
    first = Watch(directory, queue, requests).tick(json.dumps(seen), NOW)
    assert (first.taken, len(json.loads(first.cursor))) == (MOST, 10)
    assert Watch(directory, queue, requests).tick(first.cursor, NOW + 1).taken == 10


def test_files_that_never_settle_keep_nobody_out(directory: Path, queue: Bull, requests: Requests) -> None:
    for number in range(MOST + 1):
        put(directory, f"empty-{number:05}.mp4", b"")
        put(directory, f"growing-{number:05}.mp4")
    put(directory, "still.mp4")
    cursor = None
    for second in range(0, 40, 10):
        for number in range(MOST + 1):
            put(directory, f"growing-{number:05}.mp4", b"x" * (second + 1), at=NOW + second)
        outcome = Watch(directory, queue, requests).tick(cursor, NOW + second)
        cursor = outcome.cursor
        assert len(json.loads(cursor)) <= MOST
    assert [job["videoId"] for job in jobs(queue)] == ["still"]


def test_a_directory_that_goes_away_comes_back(directory: Path, queue: Bull, requests: Requests, tick: Tick) -> None:
    put(directory, "clip.mp4")
    tick()
    shutil.move(directory, f"{directory}-away")
    with pytest.raises(HomeError, match="cannot be read"):
        tick()
    shutil.move(f"{directory}-away", directory)
    assert tick().taken == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clip", "clip"),
        ("Ähren im Wind_2", "ahren-im-wind-2"),
        ("--x--", "x"),
        ("你好", ""),
        ("x" * 99, "x" * 63),
        ("x" * 62 + " y", "x" * 62),
    ],
)
def test_slugs(name: str, expected: str) -> None:
    assert slug(name) == expected
