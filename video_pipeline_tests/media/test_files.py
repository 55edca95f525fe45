from __future__ import annotations

import resource
import subprocess
from pathlib import Path

import pytest

from video_pipeline.media.files import blob_of, copy_and_hash

CONTENTS = [b"", b"x", bytes(range(256)) * 4096, b"\0" * (1 << 20) + b"one byte more than a chunk"]


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_hash_and_size_are_those_of_sha256sum(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    shown = subprocess.run(["sha256sum", path], check=True, capture_output=True, text=True).stdout.split()[0]
    blob = blob_of(path)
    assert (blob.sha256, blob.size) == (shown, len(content))
    assert blob.key == f"blobs/sha256/{shown[:2]}/{shown}"


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_a_copy_is_the_same_and_hashed_on_the_way(tmp_path: Path, content: bytes) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    target.write_bytes(b"left over from an attempt before" * 100_000)
    blob = copy_and_hash(source, target)
    assert target.read_bytes() == source.read_bytes() == content
    assert blob == blob_of(target)


def test_a_missing_source_leaves_no_target(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copy_and_hash(tmp_path / "none", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_disk_that_gets_full_is_an_error_also_in_the_last_chunk(tmp_path: Path) -> None:
    """The system takes what still fits and says so; only the next write fails."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(200_000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            copy_and_hash(source, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
