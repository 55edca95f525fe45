from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from video_pipeline.errors import ConflictError, DiskFull, HomeError, ObjectMissing, PipelineError, RequestError
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.stores.processes import together


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def blob_key(data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return f"blobs/sha256/{digest[:2]}/{digest}"


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_what_was_put_comes_back(store: LocalStore) -> None:
    store.put_bytes("a/b.json", b"one")
    assert (store.root / "a/b.json").read_bytes() == b"one"
    assert store.get_bytes("a/b.json") == b"one"
    assert store.local("a/b.json") == store.root / "a/b.json"
    stat = store.stat("a/b.json")
    assert stat is not None
    assert stat.size == 3


def test_etag_follows_the_content(store: LocalStore) -> None:
    first = store.put_bytes("x", b"1")
    second = store.put_bytes("x", b"2")
    assert first != second
    assert store.put_bytes("y", b"1") == first
    stat = store.stat("x")
    assert stat is not None
    assert stat.etag == second


def test_put_if_none_match(store: LocalStore) -> None:
    store.put_bytes("x", b"1", if_none_match=True)
    with pytest.raises(ConflictError, match="x exists"):
        store.put_bytes("x", b"2", if_none_match=True)
    assert store.get_bytes("x") == b"1"


def test_put_if_match(store: LocalStore) -> None:
    etag = store.put_bytes("x", b"1")
    store.put_bytes("x", b"2", if_match=etag)
    with pytest.raises(ConflictError, match="changed"):
        store.put_bytes("x", b"3", if_match=etag)
    with pytest.raises(ConflictError):
        store.put_bytes("absent", b"3", if_match=etag)
    assert store.get_bytes("x") == b"2"
    assert store.stat("absent") is None


def test_a_refused_put_leaves_no_file(store: LocalStore) -> None:
    store.put_bytes("x", b"1")
    before = files(store.root)
    with pytest.raises(ConflictError):
        store.put_bytes("x", b"2", if_none_match=True)
    assert files(store.root) == before


def test_one_of_many_processes_wins_if_none_match(store: LocalStore) -> None:
    script = """
from pathlib import Path
from video_pipeline.errors import ConflictError
from video_pipeline.stores.objects import LocalStore
try:
    LocalStore(Path(sys.argv[1])).put_bytes("deep/er/x", sys.argv[2].encode() * 100_000, if_none_match=True)
    print("won", sys.argv[2])
except ConflictError:
    print("lost", sys.argv[2])
"""
    printed = together(script, [[str(store.root), str(number)] for number in range(6)])
    winners = [line.split()[1] for line in printed if line.startswith("won")]
    assert len(winners) == 1
    assert (store.root / "deep/er/x").read_bytes() == winners[0].encode() * 100_000


def test_compare_and_swap_counts_exactly(store: LocalStore) -> None:
    store.put_bytes("n", b"0")
    script = """
from pathlib import Path
from video_pipeline.errors import ConflictError
from video_pipeline.stores.objects import LocalStore
store = LocalStore(Path(sys.argv[1]))
done = 0
while done < 20:
    stat = store.stat("n")
    try:
        store.put_bytes("n", str(int(store.get_bytes("n")) + 1).encode(), if_match=stat.etag)
        done += 1
    except ConflictError:
        pass
"""
    together(script, [[str(store.root)]] * 4)
    assert (store.root / "n").read_text() == "80"


def test_put_file_keeps_the_source_unless_moved(store: LocalStore, tmp_path: Path) -> None:
    data = b"film" * 1000
    source = tmp_path / "source"
    source.write_bytes(data)
    store.put_file(blob_key(data), source)
    assert source.read_bytes() == data
    assert (store.root / blob_key(data)).read_bytes() == data
    store.put_file(blob_key(data), source, move=True)
    assert not source.exists()
    assert (store.root / blob_key(data)).read_bytes() == data


def test_move_makes_no_second_copy(store: LocalStore, tmp_path: Path) -> None:
    data = b"film"
    source = tmp_path / "source"
    source.write_bytes(data)
    number = source.stat().st_ino
    store.put_file(blob_key(data), source, move=True)
    assert (store.root / blob_key(data)).stat().st_ino == number


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system at /dev/shm")
def test_move_from_another_file_system(store: LocalStore) -> None:
    source = Path(f"/dev/shm/video-pipeline-test-{os.getpid()}")
    data = os.urandom(3_000_000)
    try:
        source.write_bytes(data)
        store.put_file(blob_key(data), source, move=True)
        assert not source.exists()
    finally:
        source.unlink(missing_ok=True)
    assert (store.root / blob_key(data)).read_bytes() == data


@pytest.mark.parametrize("damaged", [b"fi", b"firm", b"", b"film and more"])
def test_a_damaged_object_is_put_right(store: LocalStore, tmp_path: Path, damaged: bytes) -> None:
    data = b"film"
    path = store.root / blob_key(data)
    path.parent.mkdir(parents=True)
    path.write_bytes(damaged)
    source = tmp_path / "source"
    source.write_bytes(data)
    store.put_file(blob_key(data), source)
    assert path.read_bytes() == data
    path.chmod(0o644)
    path.write_bytes(damaged)
    store.put_bytes(blob_key(data), data)
    assert path.read_bytes() == data
    path.write_bytes(damaged)
    store.put_file(blob_key(data), source, move=True)
    assert path.read_bytes() == data
    assert not source.exists()


@pytest.mark.parametrize("damaged", [b"fi", b"firm", b""])
def test_what_is_damaged_is_removed_when_it_is_read(store: LocalStore, damaged: bytes) -> None:
    key = blob_key(b"film")
    assert not store.whole(key)
    store.put_bytes(key, b"film")
    assert store.whole(key)
    (store.root / key).write_bytes(damaged)
    assert not store.whole(key)
    assert store.stat(key) is None


def test_copy_puts_a_damaged_target_right(store: LocalStore) -> None:
    data = b"film"
    target = f"videos/v/media/{hashlib.sha256(data).hexdigest()}.mp4"
    store.put_bytes(blob_key(data), data)
    store.copy(blob_key(data), target)
    (store.root / target).write_bytes(b"firm")  # of both names
    with pytest.raises(ObjectMissing, match="damaged"):
        store.copy(blob_key(data), "videos/w/media/x.mp4")
    assert (store.root / target).read_bytes() == b"firm"
    store.put_bytes(blob_key(data), data)
    store.copy(blob_key(data), target)
    assert (store.root / target).read_bytes() == data


def test_copy_shares_the_bytes(store: LocalStore) -> None:
    data = b"film"
    store.put_bytes(blob_key(data), data)
    target = f"videos/v/media/{hashlib.sha256(data).hexdigest()}.mp4"
    store.copy(blob_key(data), target)
    store.copy(blob_key(data), target)
    assert (store.root / target).samefile(store.root / blob_key(data))
    with pytest.raises(ObjectMissing):
        store.copy(blob_key(b"nothing"), "videos/v/media/x.mp4")


def test_stat_of_media_needs_no_reading(store: LocalStore) -> None:
    key = "blobs/sha256/aa/" + "a" * 64
    path = store.root / key
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(1 << 40)  # sparse: hashing it would take an hour
    stat = store.stat(key)
    assert stat is not None
    assert (stat.size, stat.etag) == (1 << 40, "a" * 64)


def test_list_is_by_prefix_and_in_order_of_keys(store: LocalStore) -> None:
    keys = ["a/1", "a/2/x", "a-b/1", "ab", "b/1", "a.x"]
    for key in keys:
        store.put_bytes(key, b"")
    assert list(store.list()) == sorted(keys)
    assert list(store.list("a")) == sorted(key for key in keys if key.startswith("a"))
    assert list(store.list("a/")) == ["a/1", "a/2/x"]
    assert list(store.list("a/2/x")) == ["a/2/x"]
    assert list(store.list("nothing/here")) == []


def test_delete(store: LocalStore) -> None:
    store.put_bytes("x/y", b"1")
    store.delete("x/y")
    store.delete("x/y")
    assert store.stat("x/y") is None
    with pytest.raises(ObjectMissing, match="x/y"):
        store.get_bytes("x/y")
    with pytest.raises(ObjectMissing, match="x/y"):
        store.local("x/y")


def test_a_directory_is_no_object(store: LocalStore) -> None:
    store.put_bytes("x/y", b"1")
    assert store.stat("x") is None
    assert store.stat("x/y/z") is None
    with pytest.raises(ObjectMissing):
        store.get_bytes("x")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "a//b", "a/", "../x", "a/../b", ".", ".tmp/x", "a\nb", "x" * 256])
def test_bad_keys_are_refused(store: LocalStore, key: str) -> None:
    with pytest.raises(RequestError, match="object key"):
        store.put_bytes(key, b"")
    assert not store.root.exists()


def test_a_killed_writer_leaves_nothing_for_long(store: LocalStore) -> None:
    script = """
import sys, time
from pathlib import Path
from video_pipeline.stores.disk import temporary_file
with temporary_file(Path(sys.argv[1]) / ".tmp") as (file, path):
    file.write(b"half"); file.flush()
    print("open", flush=True)
    time.sleep(600)
"""
    child = subprocess.Popen([sys.executable, "-c", script, str(store.root)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    left = files(store.root)
    assert len(left) == 1
    assert list(store.list()) == []
    store.put_bytes("x", b"1")
    assert set(left) < set(files(store.root)), "a living writer's file must stay"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    store.put_bytes("x", b"2")
    assert not set(left) & set(files(store.root))


def test_readers_never_see_half_an_object(store: LocalStore) -> None:
    contents = [bytes([letter]) * 500_000 for letter in b"ab"]
    store.put_bytes("x", contents[0])
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for content in contents:
                store.put_bytes("x", content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {store.get_bytes("x") for _ in range(300)}
    finally:
        stop.set()
        writer.join()
    assert seen <= set(contents)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "tiny"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip("needs root that may mount a tmpfs")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_said_and_leaves_nothing(tiny_disk: Path, tmp_path: Path) -> None:
    store = LocalStore(tiny_disk / "store")
    source = tmp_path / "source"
    source.write_bytes(os.urandom(1_000_000))
    with pytest.raises(DiskFull, match="no space left"):
        store.put_bytes("x", os.urandom(1_000_000))
    with pytest.raises(DiskFull, match="no space left"):
        store.put_file("y", source, move=True)
    assert source.exists()
    assert list(store.list()) == []
    assert files(store.root / ".tmp") == []
    store.put_bytes("small", b"1")


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(PipelineError) as caught:
        LocalStore(tmp_path / "home" / "store").put_bytes("x", b"")
    assert isinstance(caught.value, HomeError)
    assert str(tmp_path / "home") in str(caught.value)
