"""Who uses the store now: a lease for each process that works on a video, which the kernel drops with the process.

A lease says since when. What was used since the oldest one began must stay. All times are the file system's, so that
the clocks of several hosts on one directory do not matter.
"""

from __future__ import annotations

import fcntl
import os
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from video_pipeline.stores.disk import explained

_PLACE = ".leases"
_CLOCK = "now"


@dataclass
class Lease:
    handle: int
    path: Path
    process: int
    proven: set[str] = field(default_factory=set)
    """SHA-256 of the objects that were found whole under this lease."""
    renewed: set[str] = field(default_factory=set)
    """SHA-256 of the objects whose checkpoints were used under it."""


_held: dict[Path, Lease] = {}
_one = threading.Lock()


def hold(root: Path) -> Lease:
    """This process's lease on the store; it begins now if there is none.

    Raises:
        HomeError, DiskFull: it cannot be written.
    """
    with _one:
        lease = _held.get(root)
        if lease is not None and lease.process != os.getpid():
            os.close(lease.handle)  # our parent's: a fork has its own
            lease = None
        if lease is None:
            with explained():
                lease = _held[root] = _begin(root / _PLACE)
        return lease


def end(root: Path) -> None:
    """The work is done; without a lease nothing happens."""
    with _one:
        lease = _held.pop(root, None)
    if lease is not None and lease.process == os.getpid():
        try:
            lease.path.unlink(missing_ok=True)
        finally:
            os.close(lease.handle)


def oldest(root: Path) -> int:
    """When the oldest lease began that is held by a living process, else now; nanoseconds. Others are removed."""
    place = root / _PLACE
    place.mkdir(parents=True, exist_ok=True)
    began = _now(place)
    for path in place.iterdir():
        if path.name == _CLOCK:
            continue
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # it ended just now
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except BlockingIOError:
            began = min(began, os.fstat(handle).st_mtime_ns)
        finally:
            os.close(handle)
    return began


def _begin(place: Path) -> Lease:
    place.mkdir(parents=True, exist_ok=True)
    (place / _CLOCK).touch()  # once the disk is full it may be too late
    while True:
        path = place / uuid.uuid4().hex
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return Lease(handle, path, os.getpid())
        os.close(handle)  # taken for a dead one between open and lock


def _now(place: Path) -> int:
    """By the file system's clock."""
    clock = place / _CLOCK
    clock.touch()
    return clock.stat().st_mtime_ns
