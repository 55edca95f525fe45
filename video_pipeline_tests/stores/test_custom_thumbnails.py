"""Pictures kept for videos: who may change them, and that the store has them as long as they are kept, no longer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from video_pipeline.errors import SourceError
from video_pipeline.media.model import Blob, SourceFile
from video_pipeline.media.options import NO_PICTURE, Options
from video_pipeline.media.tools import Tools
from video_pipeline.stores import budget, leases
from video_pipeline.stores.checkpoints import PICTURE, Checkpoints
from video_pipeline.stores.custom_thumbnails import CustomThumbnails
from video_pipeline.stores.index import Index
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.requests import Requests, VideoRequest


class World:
    """One video, whose requests come in order."""

    def __init__(self, index: Index, tools: Tools, place: Path) -> None:
        self.requests, self.tools, self.place = Requests(index), tools, place
        self.store = LocalStore(place / "store")
        self.kept = CustomThumbnails(index, self.store)
        (place / "scratch").mkdir()

    def picture(self, name: str) -> str:
        """A file of its own content."""
        path = self.place / name
        Image.effect_noise((40, 30), 10 + sum(name.encode())).save(path, "PNG")
        return str(path)

    def request(self, thumbnail: str | None = None) -> VideoRequest:
        return self.requests.add(video_id="v", source="/a.mp4", preset="web", options=Options(thumbnail=thumbnail))

    def run(self, request: VideoRequest) -> str | None:
        """Name of what is kept after a run of it."""
        file = self.kept.take_in(request, self.tools, self.place / "scratch")
        assert file == self.kept.get("v")
        return file.name if file else None

    def bring(self, address: str) -> SourceFile:
        newest = self.requests.latest("v")
        assert newest is not None
        return self.kept.set("v", address, newest.version, self.tools, self.place / "scratch")

    def blobs(self) -> set[str]:
        return {key.rpartition("/")[2] for key in self.store.list("blobs/")}

    def evict(self) -> None:
        """Nobody works, and no finished work may stay."""
        leases.end(self.store.root)
        # What was made in the same tick of the file system's clock counts as in use.
        made = max(path.stat().st_mtime_ns for path in (self.store.root / "checkpoints").rglob("*"))
        tick = self.place / "tick"
        tick.touch()
        while tick.stat().st_mtime_ns <= made:
            tick.touch()
        assert budget.evict(self.store, 0) is not None


@pytest.fixture
def world(index: Index, tools: Tools, tmp_path: Path) -> Iterator[World]:
    made = World(index, tools, tmp_path)
    yield made
    leases.end(made.store.root)


def digest(address: str) -> str:
    return hashlib.sha256(Path(address).read_bytes()).hexdigest()


def test_it_stays_when_its_file_is_gone_and_nothing_else_does(world: World) -> None:
    a = world.picture("a.png")
    name = digest(a)
    assert world.run(world.request(a)) == "a.png"
    Path(a).unlink()
    assert world.run(world.request()) == "a.png"
    world.evict()
    assert world.blobs() == {name}
    file = world.kept.get("v")
    assert file is not None
    assert (file.blob.sha256, file.uri) == (name, a)
    assert digest(str(world.kept.path(file, world.place))) == name


def test_an_older_request_changes_nothing(world: World) -> None:
    first, second = world.request(world.picture("a.png")), world.request(world.picture("b.png"))
    assert world.run(second) == "b.png"
    assert world.run(first) == "b.png"
    third = world.request(NO_PICTURE)
    assert world.run(third) is None
    assert world.run(second) is None


def test_a_request_that_runs_again_leaves_what_was_set_since(world: World) -> None:
    asked = world.request(world.picture("a.png"))
    assert world.run(asked) == "a.png"
    world.bring(world.picture("b.png"))
    assert world.run(asked) == "b.png"
    assert world.kept.remove("v", asked.version) is not None
    assert world.run(asked) is None
    assert world.run(world.request(world.picture("a.png"))) == "a.png"


def test_a_request_that_was_done_while_another_was_set_does_not_come_back(world: World) -> None:
    first, second = world.request(), world.request(world.picture("a.png"))
    assert world.run(second) == "a.png"
    world.kept.set("v", world.picture("b.png"), first.version, world.tools, world.place / "scratch")
    assert world.run(second) == "b.png"


def test_a_run_does_not_read_its_file_again(world: World) -> None:
    asked = world.request(world.picture("a.png"))
    world.run(asked)
    (world.place / "a.png").write_text("no picture any more")
    assert world.run(asked) == "a.png"


@pytest.mark.parametrize("way", ["replaced", "removed", "removed by a job"])
def test_what_was_kept_before_stays_for_a_run_and_goes_then(world: World, way: str) -> None:
    a, b = world.picture("a.png"), world.picture("b.png")
    world.run(world.request(a))
    if way == "replaced":
        world.bring(b)
    elif way == "removed":
        world.kept.remove("v", 1)
    else:
        world.run(world.request(NO_PICTURE))
    assert digest(a) in world.blobs()
    world.evict()
    assert world.blobs() == ({digest(b)} if way == "replaced" else set())
    assert list(world.store.list(f"checkpoints/{PICTURE}/")) == [
        f"checkpoints/{PICTURE}/v-{one}.json" for one in world.blobs()
    ]


def test_two_videos_may_have_the_same(world: World) -> None:
    a = world.picture("a.png")
    world.run(world.request(a))
    other = world.requests.add(video_id="v-2", source="/a.mp4", preset="web", options=Options(thumbnail=a))
    world.kept.take_in(other, world.tools, world.place / "scratch")
    world.kept.remove("v", 1)
    world.evict()
    assert world.blobs() == {digest(a)}
    world.kept.remove("v-2", 1)
    world.evict()
    assert world.blobs() == set()


def test_what_a_crash_left_goes_with_the_next_change(world: World) -> None:
    """In the store, and its row was never written."""
    world.store.put_bytes(Blob(sha256=hashlib.sha256(b"lost").hexdigest(), size=4).key, b"lost")
    lost = SourceFile(blob=Blob(sha256=hashlib.sha256(b"lost").hexdigest(), size=4), name="lost", uri="/lost")
    Checkpoints(world.store).put(PICTURE, f"v-{lost.blob.sha256}", lost)
    a = world.picture("a.png")
    world.run(world.request(a))
    world.evict()
    assert world.blobs() == {digest(a)}


def test_a_damaged_copy_is_taken_in_again(world: World) -> None:
    a = world.picture("a.png")
    world.run(world.request(a))
    file = world.kept.get("v")
    assert file is not None
    before = Path(a).read_bytes()
    (world.store.root / file.blob.key).write_bytes(b"x" * len(before))
    assert world.kept.path(file, world.place).read_bytes() == before
    (world.store.root / file.blob.key).unlink()
    Path(a).unlink()
    with pytest.raises(SourceError, match=r"^thumbnail .*a\.png: its copy in the store is damaged or gone, and"):
        world.kept.path(file, world.place)


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "no such file"), (b"", r"the file is empty"), (b"no picture", "is no picture; give JPEG")],
    ids=["missing", "empty", "other"],
)
def test_a_bad_one_is_refused_and_changes_nothing(world: World, content: bytes | None, why: str) -> None:
    assert world.run(world.request(world.picture("a.png"))) == "a.png"
    before = world.blobs()
    bad = world.place / "bad.png"
    if content is not None:
        bad.write_bytes(content)
    with pytest.raises(SourceError, match=rf"^thumbnail {bad}: .*{why}"):
        world.run(world.request(str(bad)))
    assert world.run(world.request()) == "a.png"
    assert world.blobs() == before


def test_the_index_says_whether_it_was_changed_apart_from_requests(world: World) -> None:
    asked = world.request(world.picture("a.png"))
    world.run(asked)
    assert not world.requests.picture_since("v", asked.created)
    world.bring(world.picture("b.png"))
    assert world.requests.picture_since("v", asked.created)
    assert not world.requests.picture_since("v", world.request().created)
