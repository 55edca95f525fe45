"""What something costs: wall time, CPU time and memory of this process and of all its children."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

EVERY = 0.05
"""Seconds between two looks at the memory; a look takes some 0.1 ms."""


@dataclass
class Cost:
    wall: float = 0.0
    """s"""
    cpu: float = 0.0
    """s, of this process and its children."""
    peak: int = 0
    """Bytes that were resident at once, shared pages counted for each process."""
    steps: dict[str, float] = field(default_factory=dict)
    """Wall time of each step, s."""

    @property
    def between(self) -> float:
        return self.wall - sum(self.steps.values())


@contextlib.contextmanager
def timed(cost: Cost, *, ourselves: bool = False) -> Iterator[None]:
    """Fills in `cost` when the block ends.

    Args:
        ourselves: the work is done by this process too, so that its memory counts.
    """
    over = threading.Event()
    looking = threading.Thread(target=_watch, args=(cost, ourselves, over))
    looking.start()
    before, start = os.times(), time.perf_counter()
    try:
        yield
    finally:
        after = os.times()
        cost.wall = time.perf_counter() - start
        cost.cpu = sum(after[:4]) - sum(before[:4])
        over.set()
        looking.join()


def _watch(cost: Cost, ourselves: bool, over: threading.Event) -> None:
    own = os.getpid()
    while not over.wait(EVERY):
        found = descendants(own)
        cost.peak = max(cost.peak, sum(map(resident, [own, *found] if ourselves else found)))


def descendants(pid: int) -> list[int]:
    """Children of the process, theirs, and so on."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # each may end meanwhile
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as listed:
                for child in map(int, listed.read().split()):
                    found += [child, *descendants(child)]
    return found


def resident(pid: int) -> int:
    """Bytes; 0 for one that has ended."""
    try:
        with open(f"/proc/{pid}/statm") as status:
            return int(status.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
