"""Files that are on disk when we say so, and temporary ones that a killed process does not leave for ever."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_NO_KERNEL_COPY = (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)


@contextmanager
def temporary_file(place: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A new file in the directory `place`, removed afterwards unless it was renamed; what dead processes left goes too.

    The owner holds a lock on it that the kernel drops with the process: a file whose lock can be had is nobody's.
    """
    place.mkdir(parents=True, exist_ok=True)
    sweep(place)
    while True:
        path = place / uuid.uuid4().hex
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            break
        os.close(handle)  # swept between open and lock
    try:
        with open(handle, "w+b") as file:
            yield file, path
    finally:
        path.unlink(missing_ok=True)


def sweep(place: Path) -> None:
    """Removes the files in `place` whose owner is gone."""
    with os.scandir(place) as entries:
        paths = [entry.path for entry in entries]
    for path in paths:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # gone meanwhile, or another user's
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Renamed since it was listed: then the name is free and the file is an object.
            if _same(handle, path):
                os.unlink(path)
        except (BlockingIOError, FileNotFoundError):
            pass
        finally:
            os.close(handle)


def _same(handle: int, path: str) -> bool:
    return os.path.samestat(os.fstat(handle), os.stat(path))


def copy_data(source: IO[bytes], target: IO[bytes]) -> None:
    """All of `source`, from its start; inside the kernel, or sharing blocks, where the file system can."""
    try:
        while os.copy_file_range(source.fileno(), target.fileno(), 1 << 30):
            pass
    except OSError as error:
        if error.errno not in _NO_KERNEL_COPY:
            raise
    # The rest: all of it where the kernel cannot, else nothing.
    shutil.copyfileobj(source, target, 1 << 20)
    target.flush()


def rename(path: Path, target: Path) -> bool:
    """Moves a file that will not change again, its content on disk first; False between two file systems."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.replace(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    with suppress(PermissionError):
        target.chmod(0o444)
    return True


def make_directory(path: Path) -> None:
    """With its parents, each entered on disk."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Makes new names in it outlive a power failure."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
