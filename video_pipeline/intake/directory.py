"""What lies in a watched directory, and what of it is complete."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from video_pipeline.errors import HomeError
from video_pipeline.portable import is_utf8

UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", "~")
"""What browsers and copying programs append to the name of a file that is not complete."""


@dataclass(frozen=True)
class Found:
    """A file as it is now."""

    path: str
    """Inside the directory."""
    size: int
    mtime_ns: int

    @property
    def version(self) -> str:
        """Changes when the file does."""
        return f"{self.size}-{self.mtime_ns}"


@dataclass(frozen=True)
class Seen:
    """A version of a file, and when it was seen for the first time: seconds since 1970."""

    version: str
    since: float


@dataclass(frozen=True)
class Look:
    files: Sequence[Found]
    """By name."""
    refused: Sequence[str]
    """What cannot be taken in, and why: a sentence each."""


def look(directory: Path) -> Look:
    """Every regular file below the directory that may be complete by its name. Links are not followed, since what
    they lead to may be anything.

    Raises:
        HomeError: the directory cannot be read.
    """
    if not is_utf8(str(directory)):
        raise HomeError(f"the watched directory {_shown(directory)} has a name that is not UTF-8; rename it")
    files: list[Found] = []
    refused: list[str] = []

    def trouble(error: OSError) -> None:
        if error.filename == str(directory):
            raise HomeError(f"the watched directory {directory} cannot be read: {error.strerror}")
        refused.append(f"{_shown(error.filename)} cannot be read: {error.strerror}")

    for place, directories, names in os.walk(directory, onerror=trouble):
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or name.lower().endswith(UNFINISHED):
                continue
            path = os.path.join(place, name)
            try:
                state = os.lstat(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                refused.append(f"{_shown(path)} cannot be read: {error.strerror}")
                continue
            if not stat.S_ISREG(state.st_mode):
                continue
            inside = os.path.relpath(path, directory)
            if not is_utf8(inside):
                refused.append(f"{_shown(inside)} has a name that is not UTF-8; rename it")
                continue
            files.append(Found(inside, state.st_size, state.st_mtime_ns))
    return Look(files, refused)


def _shown(path: str | Path) -> str:
    """As it is if it is UTF-8: a message is kept in databases, which hold nothing else."""
    return str(path) if is_utf8(str(path)) else repr(os.fsencode(path))


def settled(
    files: Iterable[Found], seen: Mapping[str, Seen], now: float, seconds: float
) -> tuple[list[Found], dict[str, Seen]]:
    """Which files are complete, and what to remember of the others until the next look.

    A file is complete if it is as it was at an earlier look and has not changed for `seconds`. An empty one is not: its
    content is still to come.

    Args:
        seen: what the last look left to remember.
        now: seconds since 1970.
    """
    ready: list[Found] = []
    waiting: dict[str, Seen] = {}
    for file in files:
        before = seen.get(file.path)
        known = before if before is not None and before.version == file.version else None
        # A clock ahead of ours, as of a file server, must not make it wait for ever.
        changed = min(file.mtime_ns / 1e9, known.since) if known else 0.0
        if known and file.size and now - changed >= seconds:
            ready.append(file)
        else:
            waiting[file.path] = known or Seen(file.version, now)
    return ready, waiting


def remembered(files: Iterable[Found], waiting: Mapping[str, Seen], most: int) -> dict[str, Seen]:
    """What the next look shall know, for at most so many files: those that were first to be as they are now.

    Whatever never settles must not keep the others out, so empty files, of which nothing need be known, have no place,
    and a file that goes on changing comes last.
    """
    some = [file for file in files if file.size and file.path in waiting]
    some.sort(key=lambda file: (waiting[file.path].since, file.mtime_ns))
    return {file.path: waiting[file.path] for file in some[:most]}
