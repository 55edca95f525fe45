"""How children are stopped when an interrupt comes at a bad moment: while one starts, or is being stopped."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from video_pipeline.errors import CommandFailed, ToolMissing
from video_pipeline.media import child, process
from video_pipeline.media.interrupts import INTERRUPTS, uninterrupted
from video_pipeline.media.limits import Limits
from video_pipeline.services.signals import stopping_signals
from video_pipeline_tests.processes import wait_for

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: open("asked", "w").close())
open("beside", "w").write(str(os.getpid())); os.rename("beside", "pid")
while True: time.sleep(600)
"""


def test_an_interrupt_while_a_child_is_being_stopped_kills_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "TERM_SECONDS", 600.0)

    def interrupt_twice() -> None:
        for moment in ("pid", "asked"):
            wait_for((tmp_path / moment).exists)
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt_twice)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        process.run([sys.executable, "-c", STUBBORN], cwd=tmp_path)
    thread.join()
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


@dataclass(frozen=True)
class Interrupting(Limits):
    """The child, before it is its program: at this moment nobody else knows its id."""

    number: signal.Signals = signal.SIGINT

    def apply(self) -> None:
        os.kill(os.getppid(), self.number)


@pytest.fixture
def company() -> Iterator[None]:
    """Another thread, which may take the signal in place of the main one."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    yield
    end.set()
    thread.join()


def children() -> list[str]:
    return [" ".join(child.cmdline()) for child in psutil.Process().children()]


@pytest.mark.parametrize("number", INTERRUPTS)
def test_an_interrupt_while_a_child_starts_ends_it(number: signal.Signals, company: None) -> None:
    before = children()
    with stopping_signals():
        with pytest.raises(KeyboardInterrupt):
            process.run(["sleep", "600"], limits=Interrupting(number=number))
        with pytest.raises(KeyboardInterrupt):
            process.run_all([["sleep", "600"]] * 3, limits=Interrupting(number=number))
        assert children() == before


def test_an_interrupt_at_any_moment_of_a_start_ends_the_child(company: None) -> None:
    """A start takes a few milliseconds; the interrupt comes a little later each time."""
    before = children()

    def start(interrupt: threading.Timer) -> None:
        interrupt.start()
        process.run(["sleep", "600"])

    with stopping_signals():
        for moment in range(60):
            interrupt = threading.Timer(moment / 10_000, os.kill, (os.getpid(), signal.SIGINT))
            with pytest.raises(KeyboardInterrupt):
                start(interrupt)
            interrupt.join()
            assert children() == before, moment


def test_a_child_that_cannot_start_swallows_no_interrupt(company: None) -> None:
    with stopping_signals(), pytest.raises(KeyboardInterrupt) as caught:
        process.run(["/no/such/program"], limits=Interrupting())
    assert isinstance(caught.value.__context__, ToolMissing)


def test_children_hear_the_signals_that_were_put_off() -> None:
    with stopping_signals():  # a signal that this process ignores would be ignored by a child, too
        for number in INTERRUPTS:
            with pytest.raises(CommandFailed) as caught:
                process.run(["sh", "-c", f"kill -{int(number)} $$; exec sleep 600"])
            assert caught.value.status == -number
    blocked = process.run(["grep", "^SigBlk", "/proc/self/status"]).stdout.split()[1]
    assert int(blocked, 16) == 0


def test_every_handler_is_back_after_an_interrupt_was_put_off(company: None) -> None:
    passed = []

    def interrupted() -> None:
        with uninterrupted():
            for number in INTERRUPTS:
                os.kill(os.getpid(), number)
                passed.append(number)

    with stopping_signals():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        before = [signal.getsignal(number) for number in INTERRUPTS]
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert passed == list(INTERRUPTS)
        assert [signal.getsignal(number) for number in INTERRUPTS] == before
