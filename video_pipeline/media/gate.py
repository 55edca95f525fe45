"""Hold all work of this process and let it go on: children are stopped as they are, and no new one starts.

A worker that cannot tell others that it lives must not go on as if it could, but what it has done so far is kept.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time


class Gate:
    """Open, or held. One of this process is `gate`; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._children: list[subprocess.Popen[bytes]] = []
        self._held_at = self._held_for = 0.0

    @property
    def held(self) -> bool:
        return not self._open.is_set()

    def hold(self) -> None:
        """Stops every child, with its whole session; holding twice is holding once."""
        with self._lock:
            if self.held:
                return
            self._held_at = time.monotonic()
            self._open.clear()
            self._signal(signal.SIGSTOP, self._children)

    def release(self) -> None:
        """Lets everything go on."""
        with self._lock:
            if not self.held:
                return
            self._held_for += time.monotonic() - self._held_at
            self._signal(signal.SIGCONT, self._children)
            self._open.set()

    def wait(self) -> None:
        """Returns when it is open."""
        self._open.wait()

    def clock(self) -> float:
        """Seconds that pass only while it is open: nobody stalls who is held."""
        with self._lock:
            now = self._held_at if self.held else time.monotonic()
            return now - self._held_for

    def add(self, child: subprocess.Popen[bytes]) -> None:
        """Takes a child that leads a session; one that comes too late is stopped at once."""
        with self._lock:
            self._children.append(child)
            if self.held:
                self._signal(signal.SIGSTOP, [child])

    def remove(self, child: subprocess.Popen[bytes]) -> None:
        """Lets go of a child that has ended or is being ended; it is never stopped again."""
        with self._lock:
            if child in self._children:
                self._children.remove(child)

    def _signal(self, number: signal.Signals, children: list[subprocess.Popen[bytes]]) -> None:
        for child in children:
            if child.poll() is None:
                try:
                    os.killpg(child.pid, number)
                except ProcessLookupError:
                    continue


gate = Gate()
