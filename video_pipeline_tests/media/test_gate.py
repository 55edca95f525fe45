"""Holding children and letting them go on, as the kernel sees it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from video_pipeline.errors import CommandFailed
from video_pipeline.media import process
from video_pipeline.media.gate import gate
from video_pipeline_tests.processes import wait_for

COUNTS = "import itertools, time\nfor n in itertools.count(): open('n', 'w').write(f'{n}\\n'); time.sleep(0.01)"


@pytest.fixture(autouse=True)
def _open() -> Iterator[None]:
    yield
    gate.release()


class Work:
    """A call of `process` in a thread, and what became of it."""

    def __init__(self, *argvs: list[str], cwd: Path, stall_seconds: float | None = None) -> None:
        self.done: list[process.Completed] = []
        self.error: BaseException | None = None

        def body() -> None:
            try:
                self.done = process.run_all(argvs, cwd=cwd, stall_seconds=stall_seconds)
            except BaseException as error:
                self.error = error

        self.thread = threading.Thread(target=body)
        self.thread.start()


def states(*pids: int) -> set[str]:
    return {psutil.Process(pid).status() for pid in pids}


def pid_in(path: Path) -> int:
    return wait_for(lambda: int(path.read_text()) if path.is_file() and path.read_text().endswith("\n") else None)


def test_a_held_child_is_stopped_with_its_own_children_and_goes_on_as_it_was(tmp_path: Path) -> None:
    work = Work(["sh", "-c", "sleep 0.3 & echo $! > inner; echo $$ > outer; wait; echo end"], cwd=tmp_path)
    pids = pid_in(tmp_path / "inner"), pid_in(tmp_path / "outer")
    gate.hold()
    gate.hold()
    wait_for(lambda: states(*pids) == {psutil.STATUS_STOPPED})
    assert work.thread.is_alive()
    gate.release()
    work.thread.join(20)
    assert [done.stdout for done in work.done] == [b"end\n"]


def test_no_child_starts_while_held(tmp_path: Path) -> None:
    gate.hold()
    work = Work(["touch", "made"], cwd=tmp_path)
    work.thread.join(0.3)
    assert work.thread.is_alive()
    assert not (tmp_path / "made").exists()
    gate.release()
    work.thread.join(20)
    assert (tmp_path / "made").exists()


def test_the_stall_watch_does_not_count_the_time_held(tmp_path: Path) -> None:
    work = Work([sys.executable, "-c", COUNTS], cwd=tmp_path, stall_seconds=1.5)
    pid_in(tmp_path / "n")
    before = gate.clock()
    gate.hold()
    # Longer than it may stall, and `_attend` looks every second.
    work.thread.join(4)
    gate.release()
    assert work.thread.is_alive(), work.error
    assert gate.clock() - before < 2
    last = pid_in(tmp_path / "n")
    wait_for(lambda: pid_in(tmp_path / "n") > last + 20)
    (child,) = [child for child in psutil.Process().children() if COUNTS in child.cmdline()]
    child.kill()
    work.thread.join(20)
    assert isinstance(work.error, CommandFailed)


def test_an_interrupt_ends_a_held_child_kindly(tmp_path: Path) -> None:
    """TERM would wait behind STOP for ever, and KILL leaves no chance to clean up."""
    code = "import os, signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: (open('kind', 'w'), sys.exit()))\n"
    code += "open('pid', 'w').write(f'{os.getpid()}\\n'); time.sleep(600)"

    def interrupt() -> None:
        pid = pid_in(tmp_path / "pid")
        gate.hold()
        wait_for(lambda: states(pid) == {psutil.STATUS_STOPPED})
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        process.run([sys.executable, "-c", code], cwd=tmp_path)
    thread.join()
    assert (tmp_path / "kind").exists()
    assert not psutil.pid_exists(pid_in(tmp_path / "pid"))


def test_waiting_at_the_gate_can_be_interrupted() -> None:
    gate.hold()
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        gate.wait()
