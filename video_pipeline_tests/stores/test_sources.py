from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from video_pipeline.errors import DiskFull, SourceError, classify
from video_pipeline.media.files import copy_and_hash
from video_pipeline.media.model import Blob, SourceFile
from video_pipeline.stores import sources
from video_pipeline.stores.checkpoints import Checkpoints
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.sources import local_path

DATA = bytes(range(256)) * 5000
Fetch = Callable[..., SourceFile]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip 100% ü#1?.mp4"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def fetch(tmp_path: Path, store: LocalStore) -> Fetch:
    def fetch(source: str | Path) -> SourceFile:
        place = tmp_path / "scratch"
        place.mkdir(exist_ok=True)
        return sources.fetch(str(source), store, Checkpoints(store), place)

    return fetch


def no_read(*_: object) -> Blob:
    raise AssertionError("the source was read again")


def test_path_as_it_is(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_path(str(clip)) == clip
    monkeypatch.chdir(clip.parent)
    assert local_path(clip.name) == Path(clip.name)


@pytest.mark.parametrize("prefix", ["file://", "file://localhost", "file:"])
def test_address_of_a_file(clip: Path, prefix: str) -> None:
    assert local_path(prefix + quote(str(clip))) == clip


@pytest.mark.parametrize("scheme", ["http", "https", "s3", "ftp", "concat"])
def test_other_schemes(scheme: str) -> None:
    with pytest.raises(SourceError) as caught:
        local_path(f"{scheme}://host/clip.mp4")
    assert str(caught.value) == (f"source {scheme}://host/clip.mp4: {scheme}:// cannot be read; give a path or file://")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("file://server/clip.mp4", "only files of this machine can be read; write file:///path"),
        ("file://clip.mp4", "only files of this machine can be read; write file:///path"),
        ("http://[clip.mp4", "Invalid IPv6 URL; give a path or file://"),
        ("clip\0.mp4", "no file has a zero byte in its name"),
        ("file:///clip%00.mp4", "no file has a zero byte in its name"),
        ("x" * 300, "cannot be read: File name too long"),
        ("", "is a directory"),
    ],
)
def test_no_address_of_a_file(source: str, said: str) -> None:
    with pytest.raises(SourceError, match=r"^source ") as caught:
        local_path(source)
    assert said in str(caught.value)
    assert "\0" not in str(caught.value)


def test_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to("gone.mp4")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    for name, said in {
        "": "is a directory; give one file",
        "none.mp4": "no such file",
        "link.mp4": "no such file",
        "loop.mp4": "cannot be read: Too many levels of symbolic links",
        "empty.mp4/clip.mp4": "cannot be read: Not a directory",
        "empty.mp4": "the file is empty (0 bytes)",
        # Opening it would wait for a writer.
        "pipe.mp4": "is a pipe or a device; give one file",
    }.items():
        with pytest.raises(SourceError) as caught:
            local_path(str(tmp_path / name))
        assert str(caught.value) == f"source {tmp_path / name}: {said}"


def test_copied_once_under_its_digest(clip: Path, store: LocalStore, fetch: Fetch) -> None:
    file = fetch(clip)
    assert file.blob == Blob(sha256=hashlib.sha256(DATA).hexdigest(), size=len(DATA))
    assert (file.name, file.uri) == (clip.name, str(clip))
    kept = store.local(file.blob.key)
    assert kept.read_bytes() == DATA
    # A copy: what the producer does with the original does not reach us.
    assert kept.stat().st_ino != clip.stat().st_ino
    assert clip.stat().st_nlink == 1
    assert list((store.root.parent / "scratch").iterdir()) == []


def test_not_read_again(clip: Path, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    file = fetch(clip)
    monkeypatch.setattr(sources, "copy_and_hash", no_read)
    assert fetch(clip) == file


def test_read_again_when_the_copy_is_gone(clip: Path, store: LocalStore, fetch: Fetch) -> None:
    file = fetch(clip)
    store.delete(file.blob.key)
    assert fetch(clip) == file
    assert store.get_bytes(file.blob.key) == DATA


def test_read_again_when_it_changed(clip: Path, store: LocalStore, fetch: Fetch) -> None:
    """Even when the producer keeps size and time, as copying tools do."""
    first = fetch(clip)
    times = (clip.stat().st_atime_ns, clip.stat().st_mtime_ns)
    other = clip.with_name("other")
    other.write_bytes(DATA[::-1])
    os.utime(other, ns=times)
    other.replace(clip)
    second = fetch(clip)
    assert second.blob.sha256 == hashlib.sha256(DATA[::-1]).hexdigest()
    assert store.get_bytes(second.blob.key) == DATA[::-1]
    assert store.get_bytes(first.blob.key) == DATA


def test_changed_while_it_is_read(clip: Path, store: LocalStore, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that still runs."""

    def slow(source: Path, target: Path) -> Blob:
        blob = copy_and_hash(source, target)
        with source.open("ab") as file:
            file.write(b"more")
        return blob

    monkeypatch.setattr(sources, "copy_and_hash", slow)
    with pytest.raises(SourceError, match="the file changed while it was read; submit it when it is complete"):
        fetch(clip)
    assert list(store.list()) == []
    monkeypatch.undo()
    assert fetch(clip).blob.size == len(DATA) + 4


def test_same_content_under_two_names(clip: Path, store: LocalStore, fetch: Fetch) -> None:
    other = clip.with_name("other.mp4")
    other.write_bytes(DATA)
    one, two = fetch(clip), fetch(other)
    assert one.blob == two.blob
    assert (one.name, two.name) == (clip.name, "other.mp4")
    assert len(list(store.list("blobs/"))) == 1


def test_scratch_that_is_full(clip: Path, store: LocalStore) -> None:
    """Here the kernel's own full device."""
    place = clip.parent / "scratch"
    place.mkdir()
    (place / "source").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device") as caught:
        sources.fetch(str(clip), store, Checkpoints(store), place)
    assert isinstance(classify(caught.value), DiskFull)
    assert list(store.list()) == []
