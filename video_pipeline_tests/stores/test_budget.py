from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from video_pipeline.media.model import Blob, SourceFile
from video_pipeline.media.products import Download, StreamFile, Streams
from video_pipeline.stores import budget, leases
from video_pipeline.stores.checkpoints import SOURCE, Checkpoints
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.stores.processes import together
from video_pipeline_tests.stores.test_leases import holder

KB = 1000
LONG_AGO = 1_700_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    yield LocalStore(tmp_path / "store")
    leases.end(tmp_path / "store")


def blob(store: LocalStore, name: str, size: int = KB) -> Blob:
    data = hashlib.sha256(name.encode()).digest() * (size // 32 + 1)
    made = Blob(sha256=hashlib.sha256(data[:size]).hexdigest(), size=size)
    store.put_bytes(made.key, data[:size])
    return made


def made(store: LocalStore, key: str, *blobs: Blob, kind: str = "streams") -> Streams:
    """A checkpoint of one blob, or of these."""
    named = blobs or (blob(store, key),)
    value = Streams(media=tuple(StreamFile(name=str(n), file=one) for n, one in enumerate(named)), texts={})
    Checkpoints(store).put(kind, key, value)
    return value


def age(store: LocalStore, *keys: str, kind: str = "streams") -> None:
    """They were used long ago, in this order."""
    for n, key in enumerate(keys):
        moment = LONG_AGO + n
        os.utime(store.root / f"checkpoints/{kind}/{key}.json", (moment, moment))
        for path in (store.root / "checkpoints/.blobs").rglob(f"*.{kind}.{key}"):
            os.utime(path, (moment, moment))


def there(store: LocalStore, *keys: str, kind: str = "streams") -> list[str]:
    """Those that stand with all their files; a look that is no use."""

    def stands(key: str) -> bool:
        try:
            written = (store.root / f"checkpoints/{kind}/{key}.json").read_text()
        except FileNotFoundError:
            return False
        blobs = [store.root / f"blobs/sha256/{name[:2]}/{name}" for name in re.findall(r"[0-9a-f]{64}", written)]
        return all(path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in blobs)

    return [key for key in keys if stands(key)]


def on_disk(store: LocalStore) -> int:
    return sum(path.stat().st_size for path in (store.root / "blobs").rglob("*") if path.is_file())


def test_the_least_recently_used_go_first(store: LocalStore) -> None:
    for key in "abcdef":
        made(store, key)
    leases.end(store.root)
    age(store, *"cafebd")
    outcome = budget.trim(store, 4 * KB)
    assert outcome is not None
    # Three stay: a tenth of the budget is freed beyond need.
    assert (outcome.kept, outcome.dropped, outcome.in_use) == (3 * KB, 3 * KB, 0)
    assert on_disk(store) == 3 * KB
    assert there(store, *"abcdef") == ["b", "d", "e"]


def test_a_use_renews(store: LocalStore) -> None:
    for key in "abc":
        made(store, key)
    age(store, *"abc")
    assert Checkpoints(store).get("streams", "a", Streams) is not None
    leases.end(store.root)
    budget.evict(store, KB)
    assert there(store, *"abc") == ["a"]


def test_a_use_of_its_blob_renews(store: LocalStore) -> None:
    """Steps hand on blobs; who gets one knows no checkpoint."""
    values = {key: made(store, key) for key in "abc"}
    leases.end(store.root)
    age(store, *"abc")
    assert Checkpoints(store).renew([values["a"].media[0].file, Blob(sha256="0" * 64, size=1)]) == [
        Blob(sha256="0" * 64, size=1)
    ]
    leases.end(store.root)
    budget.evict(store, KB)
    assert there(store, *"abc") == ["a"]


def test_there_is_room(store: LocalStore) -> None:
    made(store, "a")
    leases.end(store.root)
    assert budget.trim(store, 10 * KB) is not None, "nobody has counted yet"
    made(store, "b")
    leases.end(store.root)
    assert budget.trim(store, 10 * KB) is None
    assert there(store, "a", "b") == ["a", "b"]


def test_the_number_follows(store: LocalStore) -> None:
    """Whatever was put and dropped since somebody looked, `trim` looks again when it must."""
    budget.evict(store, 0)
    made(store, "first")
    budget.evict(store, 100 * KB)
    for n in range(8):
        made(store, f"more-{n}")
        made(store, f"chunk-{n}", kind="chunk")
        Checkpoints(store).drop("chunk", f"chunk-{n}")
    leases.end(store.root)
    assert budget.trim(store, 9 * KB) is None
    made(store, "last")
    leases.end(store.root)
    outcome = budget.trim(store, 9 * KB)
    assert outcome is not None
    assert outcome.kept == on_disk(store) == 8 * KB


def ticked(store: LocalStore) -> None:
    """Returns when the file system's clock has moved on: what is used in the tick of a look may be in use."""
    mark = store.root / "mark"
    mark.touch()
    first = mark.stat().st_mtime_ns
    while mark.stat().st_mtime_ns == first:
        mark.touch()
    mark.unlink()


def test_nothing_kept(store: LocalStore) -> None:
    with budget.working(store, 0):
        made(store, "a")
        made(store, "b")
        assert there(store, "a", "b") == ["a", "b"]
        ticked(store)
    assert on_disk(store) == 0
    assert there(store, "a", "b") == []


def test_what_a_live_run_uses_stays(store: LocalStore) -> None:
    for key in "abcd":
        made(store, key)
    leases.end(store.root)
    age(store, *"abcd")
    with holder(store.root) as child:
        # Used and made since it began, by whomever.
        Checkpoints(store).get("streams", "b", Streams)
        made(store, "e")
        leases.end(store.root)
        outcome = budget.evict(store, 0)
        assert outcome is not None
        assert (outcome.kept, outcome.dropped, outcome.in_use) == (2 * KB, 3 * KB, 2 * KB)
        assert there(store, *"abcde") == ["b", "e"]
        child.kill()
        child.wait()
        assert budget.evict(store, 0) is not None
    assert there(store, *"abcde") == []
    assert on_disk(store) == 0


def test_what_is_used_while_it_is_looked_at_stays(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run begins after the leases were read, and uses what was the oldest of all."""
    for key in "ab":
        made(store, key)
    leases.end(store.root)
    age(store, "a", "b")
    look = budget.look

    def look_and_be_late(store: LocalStore) -> list[budget.Kept]:
        found = look(store)
        assert Checkpoints(store).get("streams", "a", Streams) is not None
        return found

    monkeypatch.setattr(budget, "look", look_and_be_late)
    outcome = budget.evict(store, 0)
    assert outcome is not None
    assert outcome.dropped == KB
    assert there(store, "a", "b") == ["a"]


def test_sources_and_releases_do_not_count(store: LocalStore) -> None:
    source, shared, own = blob(store, "source"), blob(store, "shared"), blob(store, "own")
    Checkpoints(store).put(SOURCE, "s", SourceFile(blob=source, name="x", uri="/x"))
    Checkpoints(store).put("download", "again", Download(file=source))  # somebody submitted what we had made
    made(store, "k", shared, own)
    store.copy(shared.key, f"videos/v/media/{shared.sha256}.mp4")
    leases.end(store.root)
    [kept] = budget.look(store)
    assert (kept.sha256, kept.size) == (own.sha256, KB)
    outcome = budget.evict(store, 0)
    assert outcome is not None
    assert outcome.dropped == KB
    assert store.whole(source.key)
    assert (store.root / f"videos/v/media/{shared.sha256}.mp4").stat().st_size == KB
    # Without its release it counts, though its checkpoint is gone.
    (store.root / f"videos/v/media/{shared.sha256}.mp4").unlink()
    assert [one.sha256 for one in budget.look(store)] == [shared.sha256]
    budget.evict(store, 0)
    assert on_disk(store) == KB


def test_a_shared_blob_is_as_young_as_its_youngest_use(store: LocalStore) -> None:
    black = blob(store, "black")
    made(store, "old", black, blob(store, "own"))
    made(store, "young", black)
    leases.end(store.root)
    age(store, "old", "young")
    budget.evict(store, KB)
    assert there(store, "old", "young") == ["young"]


def test_kilobytes_that_save_work_stay(store: LocalStore) -> None:
    Checkpoints(store).put("quality", "k", Streams(media=(), texts={"a": "b"}))
    leases.end(store.root)
    budget.evict(store, 0)
    assert there(store, "k", kind="quality") == ["k"]


def test_relieve_frees_what_is_wanted(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in "abcdef":
        made(store, key)
    leases.end(store.root)
    age(store, *"abcdef")

    class Usage:
        free = 5 * KB

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage)
    assert budget.relieve(store, 5 * KB) is None
    outcome = budget.relieve(store, 7 * KB)
    assert outcome is not None
    assert outcome.dropped == 2 * KB
    assert there(store, *"abcdef") == list("cdef")


def test_one_at_a_time(store: LocalStore) -> None:
    made(store, "a")
    leases.end(store.root)
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX)\n"
        "print('held', flush=True); sys.stdin.readline()"
    )
    argv = [sys.executable, "-c", code, str(store.root / "checkpoints/.evicting")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert budget.evict(store, 0) is None
        other.kill()
    assert budget.evict(store, 0) is not None


def test_an_empty_store(store: LocalStore) -> None:
    assert budget.evict(store, 0) == budget.Outcome(0, 0, 0)
    assert budget.trim(store, 0) == budget.Outcome(0, 0, 0)
    assert not (store.root / "checkpoints").exists()


RUNS = """
import hashlib, random
from pathlib import Path
from video_pipeline.errors import ConflictError
from video_pipeline.media.model import Blob
from video_pipeline.media.products import Download
from video_pipeline.stores import budget, leases
from video_pipeline.stores.checkpoints import Checkpoints
from video_pipeline.stores.objects import LocalStore
store, seed = LocalStore(Path(sys.argv[1])), sys.argv[2]
chance = random.Random(seed)
if seed == "evict":
    while not (store.root / "done").exists():
        budget.evict(store, 0)
    sys.exit()
for run in range(40):
    used = []
    for step in range(4):
        name = str(chance.randrange(12)).encode()
        blob = Blob(sha256=hashlib.sha256(name).hexdigest(), size=len(name))
        value = Checkpoints(store).get("step", name.decode(), Download)
        if value is None:
            store.put_bytes(blob.key, name)
            try:
                Checkpoints(store).put("step", name.decode(), Download(file=blob))
            except ConflictError:
                continue  # a step is tried again
        used.append(blob)
        assert all(store.whole(blob.key) for blob in used), "what a run has got or put stays until it ends"
    leases.end(store.root)
(store.root / "done").touch()
"""


def test_runs_and_evictions_at_the_same_time(store: LocalStore) -> None:
    together(RUNS, [[str(store.root), name] for name in ("one", "two", "three", "evict")])
