"""How many bytes the checkpoints keep, about: a number in a file, so that the budget costs nothing while there is room.

Each new blob of a checkpoint is added, and whoever looks at all of them puts the number right.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from video_pipeline.stores.disk import locked

_FILE = "checkpoints/.bytes"


def count(root: Path, more: int) -> None:
    """Adds to the number, if there is one. It is not worth an error: a full disk only keeps it from changing."""
    if more:
        with suppress(OSError):
            _change(root, more)


def counted(root: Path) -> int | None:
    """The number; None if nobody has looked yet."""
    with suppress(OSError, ValueError):
        return int((root / _FILE).read_bytes())
    return None


def correct(root: Path, before: int | None, found: int) -> None:
    """`found` is what there was when `counted` said `before`; what was counted since then stays counted."""
    with suppress(OSError):
        _change(root, found - (before or 0), begin=True)


def _change(root: Path, more: int, *, begin: bool = False) -> None:
    if not begin and not (root / _FILE).exists():
        return
    with locked(root / _FILE) as handle:
        try:
            now = int(os.pread(handle, 64, 0))
        except ValueError:  # new, or torn by a power failure: only a look at all tells
            if not begin:
                return
            now = 0
        # One width, so that a write never leaves the end of a longer number.
        os.pwrite(handle, b"%020d" % max(0, now + more), 0)
