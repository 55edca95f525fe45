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

from video_pipeline.errors import ObjectMissing, TransientError, classify

_NO_KERNEL_COPY = (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)


@contextmanager
def explained() -> Iterator[None]:
    """In the block an `OSError` becomes one of ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing(f"{error.filename}: no such file") from None
    except OSError as error:
        raise classify(error) from None


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
            if same_file(handle, path):
                os.unlink(path)
        except (BlockingIOError, FileNotFoundError):
            pass
        finally:
            os.close(handle)


def same_file(handle: int, path: str | Path) -> bool:
    """Whether an open file still has this name."""
    return os.path.samestat(os.fstat(handle), os.stat(path))


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Holds the lock of a file, which is made; the kernel drops it with the process. Gives the file's handle."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


@contextmanager
def try_locked(path: Path) -> Iterator[bool]:
    """As `locked`, without waiting: whether the lock was free."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
    try:
        free = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        yield free
    finally:
        os.close(handle)


def walk(directory: Path, prefix: str) -> Iterator[str]:
    """The files below, as paths that begin with `prefix`, without those that begin with a dot."""
    try:
        with os.scandir(directory) as found:
            entries = [entry for entry in found if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return
    # "/" takes part in the order of keys, as in S3: "a-b" comes before "a/b".
    for entry in sorted(entries, key=lambda entry: entry.name + "/" * entry.is_dir()):
        if entry.is_dir():
            yield from walk(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name


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


def copy_file(path: Path, target: Path, place: Path) -> None:
    """Puts a copy that nobody may write to under `target`, at once; it grows in the directory `place`.

    Raises:
        TransientError: somebody changed the file meanwhile.
    """
    with path.open("rb") as source, temporary_file(place) as (file, copied):
        size = os.fstat(source.fileno()).st_size
        copy_data(source, file)
        if os.fstat(file.fileno()).st_size != size:
            raise TransientError(f"{path} changed while it was copied")
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), 0o444)
        os.replace(copied, target)


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
