"""Put interrupts off for a moment in which nobody could clean up after them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, Any], Any]


@contextmanager
def uninterrupted() -> Iterator[None]:
    """In the block no handler of an interrupt runs; at its end those of the interrupts that came do, and may raise.

    A mask of the thread would not do: another thread takes the signal, and Python runs the handler in the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # no handler ever runs here
        return
    came: list[int] = []
    before = {number: handler for number in INTERRUPTS if callable(handler := signal.getsignal(number))}
    try:
        for number in before:
            signal.signal(number, lambda caught, _: came.append(caught))
        yield
    finally:
        _restore(before)
        for one in sorted(set(came)):
            signal.raise_signal(one)


def _restore(handlers: Mapping[signal.Signals, Handler]) -> None:
    try:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    except BaseException:
        # The first was back and raised at once: the others must not stay away for that.
        for number, handler in handlers.items():
            signal.signal(number, handler)
        raise
