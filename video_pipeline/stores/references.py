"""Which checkpoints name which blob: an empty file `<sha256>.<kind>.<key>` for each pair.

So nobody has to read checkpoints to know who needs a blob, and all pairs are listed at once in 256 directories. A file
that is missing (a power failure, a restored backup) costs at most that something is made again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from video_pipeline.errors import classify
from video_pipeline.media.model import Blob

_PLACE = "checkpoints/.blobs"


@dataclass(frozen=True)
class Reference:
    sha256: str
    kind: str
    key: str

    @property
    def checkpoint(self) -> tuple[str, str]:
        """Kind and key."""
        return self.kind, self.key


class References:
    def __init__(self, root: Path) -> None:
        """`root` is that of the object store."""
        self._place = root / _PLACE

    def add(self, blob: Blob, kind: str, key: str) -> bool:
        """Whether it is new; else it is noted that it was made again. Raises `HomeError`, `DiskFull`."""
        path = self._path(Reference(blob.sha256, kind, key))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666))
        except FileExistsError:
            with suppress(FileNotFoundError):
                os.utime(path)
            return False
        except OSError as error:
            raise classify(error) from None
        return True

    def remove(self, reference: Reference) -> None:
        self._path(reference).unlink(missing_ok=True)

    def of(self, sha256: str) -> list[Reference]:
        """All of one blob."""
        return [found for found in _listed(self._place / sha256[:2]) if found.sha256 == sha256]

    def all(self) -> Iterator[Reference]:
        for number in range(256):
            yield from _listed(self._place / f"{number:02x}")

    def made(self, reference: Reference) -> int:
        """When, last, in nanoseconds; 0 if it is not there."""
        try:
            return self._path(reference).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _path(self, reference: Reference) -> Path:
        name = f"{reference.sha256}.{reference.kind}.{reference.key}"
        return self._place / reference.sha256[:2] / name


def _listed(place: Path) -> Iterator[Reference]:
    try:
        names = os.listdir(place)
    except FileNotFoundError:
        return
    for name in names:
        parts = name.split(".", 2)
        if len(parts) == 3:
            yield Reference(*parts)
