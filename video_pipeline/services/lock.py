"""One stack per home directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from video_pipeline.errors import HomeError


def take(run: Path) -> int:
    """Makes this process the one whose stack has this home, until the descriptor that is returned is closed.

    Raises:
        HomeError: another process is.
    """
    lock = os.open(run / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 32).decode().strip()
        os.close(lock)
        raise HomeError(f"{run.parent} is in use by a stack already (process {holder})") from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def holder(run: Path) -> int | None:
    """The process whose stack has this home, if there is one."""
    try:
        lock = os.open(run / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(lock, 32) or b"0") or None
    else:
        return None
    finally:
        os.close(lock)
