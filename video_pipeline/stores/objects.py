"""The object store: what S3 promises, and the same promises kept by a local directory.

An object appears whole or not at all and is on disk when a put returns. Keys under `blobs/` and `videos/*/media/` end
in the SHA-256 of their content, so they never change; other keys can be written again, on a condition if need be.
"""

from __future__ import annotations

import filecmp
import hashlib
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from video_pipeline.errors import ConflictError, ObjectMissing
from video_pipeline.media.files import blob_in
from video_pipeline.stores.disk import (
    copy_file,
    explained,
    locked,
    make_directory,
    rename,
    same_file,
    sync_directory,
    temporary_file,
    walk,
)
from video_pipeline.stores.keys import check_key, content_hash

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stat:
    size: int
    """bytes"""
    etag: str
    """Changes when the content does; compare only."""


class ObjectStore(ABC):
    """Every method raises `RequestError` for a bad key, `DiskFull`, `HomeError` if the store cannot be used."""

    @abstractmethod
    def put_bytes(self, key: str, data: bytes, *, if_none_match: bool = False, if_match: str | None = None) -> str:
        """Writes the object and returns its etag.

        Args:
            if_none_match: only if there is none yet.
            if_match: only if the object still has this etag.

        Raises:
            ConflictError: the condition does not hold; of writers at the same time exactly one succeeds.
        """

    @abstractmethod
    def put_file(self, key: str, path: Path, *, move: bool = False) -> None:
        """Stores a file that will never change under this key; does nothing if it is there already. An object that is
        not what its key says is replaced.

        Args:
            move: `path` is given away and gone afterwards; no second copy is made where that is possible.
        """

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Stores the content of one key under another that will never change, without moving bytes if possible. An
        object with other content that is there is replaced.

        Raises:
            ObjectMissing: no such source, or it is not what its key says; then it is removed.
        """

    @abstractmethod
    def get_bytes(self, key: str) -> bytes:
        """Raises `ObjectMissing`."""

    @abstractmethod
    def stat(self, key: str) -> Stat | None:
        """None if there is no such object."""

    @abstractmethod
    def whole(self, key: str) -> bool:
        """Whether an object named by its content is there and has that content: reads all of it. One that has not is
        removed."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[str]:
        """The keys that start with `prefix`, in order."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Does nothing if there is no such object."""

    @abstractmethod
    def local(self, key: str) -> Path:
        """A file to read the object from; do not write to it.

        Raises:
            ObjectMissing: no such object.
        """


class LocalStore(ObjectStore):
    """Objects as files under `root`, which is made on the first put. Any number of processes may share it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_bytes(self, key: str, data: bytes, *, if_none_match: bool = False, if_match: str | None = None) -> str:
        target = self._path(key)
        with explained():
            if not if_none_match and content_hash(key) and self._have(key, len(data)):
                return _etag(data)
        with explained(), temporary_file(self._temporary) as (file, path):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            make_directory(target.parent)
            with self.lock(key):
                now = self.stat(key) if if_none_match or if_match is not None else None
                if if_none_match and now is not None:
                    raise ConflictError(f"object {key} exists already")
                if if_match is not None and (now is None or now.etag != if_match):
                    raise ConflictError(f"object {key} was changed by another writer")
                os.replace(path, target)
                sync_directory(target.parent)
        return _etag(data)

    def put_file(self, key: str, path: Path, *, move: bool = False) -> None:
        target = self._path(key)
        with explained():
            if not self._have(key, path.stat().st_size):
                make_directory(target.parent)
                if not (move and rename(path, target)):
                    copy_file(path, target, self._temporary)
                sync_directory(target.parent)
            if move:
                path.unlink(missing_ok=True)

    def copy(self, source: str, target: str) -> None:
        path, to = self.local(source), self._path(target)
        with explained():
            make_directory(to.parent)
            with suppress(FileNotFoundError):
                if path.samefile(to):
                    return
            if content_hash(source) and not self.whole(source):
                raise ObjectMissing(f"object {source} was damaged and is removed")
            if to.exists():
                if filecmp.cmp(path, to, shallow=False):
                    return
                to.unlink()  # damaged
            try:
                os.link(path, to)
            except FileExistsError:
                return
            except OSError:  # too many links, or a file system without
                copy_file(path, to, self._temporary)
            sync_directory(to.parent)

    def get_bytes(self, key: str) -> bytes:
        with explained(), self._open(key) as file:
            return file.read()

    def stat(self, key: str) -> Stat | None:
        named = content_hash(key)
        try:
            with explained(), self._open(key) as file:
                if named:
                    return Stat(os.fstat(file.fileno()).st_size, named)
                data = file.read()
                return Stat(len(data), _etag(data))
        except ObjectMissing:
            return None

    def whole(self, key: str) -> bool:
        with explained(), suppress(ObjectMissing), self._open(key) as file:
            if blob_in(file).sha256 == content_hash(key):
                return True
            with self.lock(key), suppress(FileNotFoundError):
                if same_file(file.fileno(), file.name):  # not yet put right by somebody else
                    others = os.fstat(file.fileno()).st_nlink - 1
                    logger.warning("object %s is damaged and removed; releases that share it: %d", key, others)
                    os.unlink(file.name)
                    sync_directory(self._path(key).parent)
        return False

    def list(self, prefix: str = "") -> Iterator[str]:
        top = prefix.rpartition("/")[0]
        start = self._path(top) if top else self.root
        for key in walk(start, top + "/" if top else ""):
            if key.startswith(prefix):
                yield key

    def delete(self, key: str) -> None:
        target = self._path(key)
        with explained(), self.lock(key), suppress(FileNotFoundError):
            target.unlink()
            sync_directory(target.parent)

    def local(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise self._missing(key)
        return path

    @property
    def _temporary(self) -> Path:
        return self.root / ".tmp"

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _missing(self, key: str) -> ObjectMissing:
        return ObjectMissing(f"object {key} is not in the store {self.root}")

    def _open(self, key: str) -> IO[bytes]:
        try:
            return self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise self._missing(key) from None

    def _have(self, key: str, size: int) -> bool:
        """Whether the object is there, of this size, and is what its key says."""
        try:
            if self._path(key).stat().st_size != size:
                return False
        except FileNotFoundError:
            return False
        return content_hash(key) is None or self.whole(key)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Makes several steps with one object one, for all processes: with one of 256 files, which need no cleaning
        up. Never take a second one inside."""
        place = self.root / ".locks"
        place.mkdir(parents=True, exist_ok=True)
        with locked(place / _etag(key.encode())[:2]):
            yield


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
