"""The object store: what S3 promises, and the same promises kept by a local directory.

An object appears whole or not at all and is on disk when a put returns. Keys under `blobs/` and `videos/*/media/` end
in the SHA-256 of their content, so they never change; other keys can be written again, on a condition if need be.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat as stat_module
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from video_pipeline.errors import ConflictError, HomeError, ObjectMissing, TransientError, classify
from video_pipeline.stores.disk import copy_data, make_directory, rename, sync_directory, temporary_file
from video_pipeline.stores.keys import check_key, content_hash


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
        """Stores a file that will never change under this key; does nothing if it is there already.

        Args:
            move: `path` is given away and gone afterwards; no second copy is made where that is possible.

        Raises:
            HomeError: an object of another size is there: the store is damaged.
        """

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Stores the content of one key under another that will never change, without moving bytes if possible.

        Raises:
            ObjectMissing: no such source.
            HomeError: as `put_file`.
        """

    @abstractmethod
    def get_bytes(self, key: str) -> bytes:
        """Raises `ObjectMissing`."""

    @abstractmethod
    def stat(self, key: str) -> Stat | None:
        """None if there is no such object."""

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
        with _explained():
            if not if_none_match and content_hash(key) and self._have(key, target, len(data)):
                return _etag(data)
        with _explained(), temporary_file(self._temporary) as (file, path):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            make_directory(target.parent)
            with self._lock(key):
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
        with _explained():
            if not self._have(key, target, path.stat().st_size):
                make_directory(target.parent)
                if not (move and rename(path, target)):
                    self._copy_in(path, target)
                sync_directory(target.parent)
            if move:
                path.unlink(missing_ok=True)

    def copy(self, source: str, target: str) -> None:
        path, to = self.local(source), self._path(target)
        with _explained():
            if self._have(target, to, path.stat().st_size):
                return
            make_directory(to.parent)
            try:
                os.link(path, to)
            except FileExistsError:
                return
            except OSError:  # too many links, or a file system without
                self._copy_in(path, to)
            sync_directory(to.parent)

    def get_bytes(self, key: str) -> bytes:
        with _explained(), self._open(key) as file:
            return file.read()

    def stat(self, key: str) -> Stat | None:
        named = content_hash(key)
        try:
            with _explained(), self._open(key) as file:
                if named:
                    return Stat(os.fstat(file.fileno()).st_size, named)
                data = file.read()
                return Stat(len(data), _etag(data))
        except ObjectMissing:
            return None

    def list(self, prefix: str = "") -> Iterator[str]:
        top = prefix.rpartition("/")[0]
        start = self._path(top) if top else self.root
        for key in self._walk(start, top + "/" if top else ""):
            if key.startswith(prefix):
                yield key

    def delete(self, key: str) -> None:
        target = self._path(key)
        with _explained(), self._lock(key), suppress(FileNotFoundError):
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

    def _have(self, key: str, path: Path, size: int) -> bool:
        try:
            found = path.stat()
        except FileNotFoundError:
            return False
        if not stat_module.S_ISREG(found.st_mode) or found.st_size != size:
            raise HomeError(f"object {key} is damaged: {found.st_size} bytes instead of {size}; delete {path}")
        return True

    def _copy_in(self, path: Path, target: Path) -> None:
        with path.open("rb") as source, temporary_file(self._temporary) as (file, copied):
            size = os.fstat(source.fileno()).st_size
            copy_data(source, file)
            if os.fstat(file.fileno()).st_size != size:
                raise TransientError(f"{path} changed while it was copied")
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o444)
            os.replace(copied, target)

    def _walk(self, directory: Path, prefix: str) -> Iterator[str]:
        try:
            with os.scandir(directory) as found:
                entries = [entry for entry in found if not entry.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return
        # "/" takes part in the order of keys, as in S3: "a-b" comes before "a/b".
        for entry in sorted(entries, key=lambda entry: entry.name + "/" * entry.is_dir()):
            if entry.is_dir():
                yield from self._walk(Path(entry.path), f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        """Makes check and rename one step; one of 256 lock files, so that they need no cleaning up."""
        place = self.root / ".locks"
        place.mkdir(parents=True, exist_ok=True)
        lock = os.open(place / _etag(key.encode())[:2], os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _etag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing(f"{error.filename}: no such file") from None
    except OSError as error:
        raise classify(error) from None
