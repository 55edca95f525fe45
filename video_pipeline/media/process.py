"""Run a child process: limited, watched, and never left behind.

A child has a session of its own and closed standard input. It dies with us, by PR_SET_PDEATHSIG, even if we are
killed, and is stopped on every way out of `run`.
"""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from video_pipeline.errors import CommandFailed, DiskFull, StalledError, ToolMissing
from video_pipeline.media.gate import gate
from video_pipeline.media.interrupts import uninterrupted
from video_pipeline.media.limits import Limits, die_with

TERM_SECONDS = 1.0
"""How long a child may take to end on TERM before it is killed. An encoder would finish the pictures it has in hand,
which nobody wants any more."""
KILL_SECONDS = 5.0
"""How long the kernel may take."""
LADDER = (signal.SIGTERM, signal.SIGKILL)
LOG_BYTES = 16_384


@dataclass(frozen=True)
class Completed:
    stdout: bytes
    stderr: str
    """The last lines, or all of it if asked for."""
    status: int = 0


@dataclass
class _Child:
    argv: list[str]
    process: subprocess.Popen[bytes]
    on_stdout: Callable[[bytes], None] | None = None
    on_stderr: Callable[[bytes], None] | None = None
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    keep_log: bool = False
    moved: float = field(default_factory=gate.clock)
    cpu: float = -1.0

    def take(self, stream: int, data: bytes) -> None:
        if stream == 2:
            if self.on_stderr:
                self.on_stderr(data)
            self.stderr += data
            if not self.keep_log:
                del self.stderr[:-LOG_BYTES]
        elif self.on_stdout:
            self.on_stdout(data)
        else:
            self.stdout += data

    def completed(self, *, check: bool = True) -> Completed:
        log = self.stderr.decode("utf-8", "replace")
        status = self.process.wait()
        if status == 0 or not check:
            return Completed(bytes(self.stdout), log, status)
        if "No space left on device" in log:
            raise DiskFull("no space left on device; free some and try again", detail=log)
        raise CommandFailed(shlex.join(self.argv), status, log)


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    nice: int = 0,
    limits: Limits | None = None,
    stall_seconds: float | None = None,
    on_stdout: Callable[[bytes], None] | None = None,
    on_stderr: Callable[[bytes], None] | None = None,
    keep_log: bool = False,
) -> Completed:
    """Runs one child to its end.

    Args:
        stall_seconds: the child is stopped when neither its output nor its CPU time moves for this long.
        on_stdout: gets standard output as it comes, instead of `Completed.stdout`.
        on_stderr: gets standard error as it comes, too.
        keep_log: all of standard error is wanted, not only its last lines.

    Raises:
        CommandFailed: it ended with another status than 0.
        StalledError, DiskFull, ToolMissing: as their names say.
    """
    children: list[_Child] = []
    try:
        _start(children, argv, cwd, nice, limits or Limits(), on_stdout)
        children[0].keep_log, children[0].on_stderr = keep_log, on_stderr
        _attend(children, stall_seconds)
    finally:
        _end(children)
    return children[0].completed()


def run_all(
    argvs: Sequence[Sequence[str | Path]],
    *,
    cwd: Path | None = None,
    nice: int = 0,
    limits: Limits | None = None,
    stall_seconds: float | None = None,
    check: bool = True,
    keep_log: bool = False,
) -> list[Completed]:
    """Runs several children at once; the results are in order. Raises as `run`, for the first that failed; without
    `check` a failed one is a result like the others."""
    children: list[_Child] = []
    try:
        for argv in argvs:
            _start(children, argv, cwd, nice, limits or Limits(), None)
            children[-1].keep_log = keep_log
        failed = _attend(children, stall_seconds, stop_on_failure=check)
    finally:
        _end(children)
    if failed:
        failed.completed()  # raises; the others were only stopped
    return [child.completed(check=check) for child in children]


def _start(
    children: list[_Child],
    argv: Sequence[str | Path],
    cwd: Path | None,
    nice: int,
    limits: Limits,
    on_stdout: Callable[[bytes], None] | None,
) -> None:
    """Adds the child to those that its caller ends, also when an interrupt comes while it starts."""
    words = [str(word) for word in argv]
    parent = os.getpid()
    gate.wait()

    def in_child() -> None:
        die_with(parent)
        limits.apply()
        if nice:
            os.nice(nice)

    with uninterrupted():
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=in_child,
            )
        except OSError as error:
            raise ToolMissing(f"{words[0]} cannot be run: {error.strerror}") from None
        children.append(_Child(words, process, on_stdout))
        gate.add(process)


def _attend(children: list[_Child], stall_seconds: float | None, *, stop_on_failure: bool = True) -> _Child | None:
    """Drains the pipes until all have ended; returns the one that failed first and so stopped the others."""
    failed: _Child | None = None
    with selectors.DefaultSelector() as selector:
        for child in children:
            for number, stream in ((1, child.process.stdout), (2, child.process.stderr)):
                assert stream is not None
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, selectors.EVENT_READ, (child, number))
        while selector.get_map():
            for key, _ in selector.select(timeout=1.0):
                child, number = key.data
                data = os.read(key.fd, 65_536)
                if data:
                    child.moved = gate.clock()
                    child.take(number, data)
                    continue
                selector.unregister(key.fileobj)
                if stop_on_failure and number == 1 and _wait(child, stall_seconds) != 0:
                    failed = failed or child
                    _stop(children)
            if stall_seconds is not None:
                for child in children:
                    _check_moving(child, stall_seconds)
    for child in children:
        _wait(child, stall_seconds)
    return failed


def _wait(child: _Child, stall_seconds: float | None) -> int:
    """For the end of one that has closed its output; it may go on without, or stall."""
    while True:
        try:
            return child.process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            if stall_seconds is not None:
                _check_moving(child, stall_seconds)


def _check_moving(child: _Child, stall_seconds: float) -> None:
    if child.process.poll() is not None:
        return
    try:
        with open(f"/proc/{child.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    if cpu != child.cpu:
        child.cpu, child.moved = cpu, gate.clock()
    elif gate.clock() - child.moved > stall_seconds:
        raise StalledError(f"{Path(child.argv[0]).name} made no progress for {stall_seconds:g} s")


def _end(children: list[_Child]) -> None:
    try:
        _stop(children)
    except BaseException:
        # Interrupted once more, while they were being stopped: they must not stay for that.
        _stop(children, LADDER[-1:])
        raise
    finally:
        for child in children:
            for stream in (child.process.stdout, child.process.stderr):
                if stream is not None:
                    stream.close()


def _stop(children: list[_Child], ladder: Sequence[signal.Signals] = LADDER) -> None:
    """TERM, wait, KILL, reap; the whole session of each, so that its own children go too."""
    for child in children:
        gate.remove(child.process)
    for number in ladder:
        running = [child.process for child in children if child.process.poll() is None]
        for process in running:
            try:
                os.killpg(process.pid, number)
                os.killpg(process.pid, signal.SIGCONT)  # TERM alone does not end one that is stopped
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + (TERM_SECONDS if number == signal.SIGTERM else KILL_SECONDS)
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                continue
