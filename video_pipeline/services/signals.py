"""Signals that stop a program in the foreground."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# SIGINT too: a shell that starts us in the background has it ignored.
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stopping_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block like Ctrl-C, with KeyboardInterrupt."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def hangups() -> Iterator[threading.Event]:
    """SIGHUP sets the event. One that tells that our terminal is gone ends the block like Ctrl-C."""
    asked, with_terminal = threading.Event(), _terminal()

    def hangup(*_: object) -> None:
        if with_terminal and not _terminal():
            raise KeyboardInterrupt
        asked.set()

    before = signal.signal(signal.SIGHUP, hangup)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGHUP, before)


def _terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
