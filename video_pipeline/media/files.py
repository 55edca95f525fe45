"""Files by their content."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO

from video_pipeline.media.model import Blob

_CHUNK = 1 << 20


def blob_of(path: Path) -> Blob:
    """Hash and size of a file."""
    with path.open("rb", buffering=0) as file:
        return blob_in(file)


def blob_in(file: IO[bytes]) -> Blob:
    """Hash and size of what is left to read in an open file."""
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return Blob(sha256=digest.hexdigest(), size=size)


def copy_and_hash(source: Path, target: Path) -> Blob:
    """Copies a file and returns hash and size of what was copied: one read."""
    digest, size = hashlib.sha256(), 0
    # The copy is buffered: else a disk that gets full takes a part of a chunk, which is no error.
    with source.open("rb", buffering=0) as file, target.open("wb") as copy:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
            size += len(chunk)
    return Blob(sha256=digest.hexdigest(), size=size)
