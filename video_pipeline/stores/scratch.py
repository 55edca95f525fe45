"""Temporary directories that do not outlive their process, not even one that was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video_pipeline.errors import classify

_LOCK = ".lock"


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """A new directory under `root`, removed afterwards; what dead processes left there goes first.

    Its owner holds a lock on a file in it. The kernel drops the lock with the process, so a directory whose lock can
    be had belongs to nobody.

    Raises:
        HomeError, DiskFull: the directory cannot be made.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        sweep(root)
        place = Path(tempfile.mkdtemp(dir=root))
        lock = os.open(place / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise classify(error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(lock)


def sweep(root: Path) -> None:
    """Removes the directories whose owner is gone."""
    for place in root.iterdir():
        try:
            lock = os.open(place / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # being made, or not ours
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
