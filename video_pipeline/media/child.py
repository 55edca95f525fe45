"""Child processes: started, drained, watched, and ended with their whole session, whatever happens.

A child has a session of its own and closed standard input, unless it is given one. It dies with us, by
PR_SET_PDEATHSIG, even if we are killed.
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
class Child:
    """One that runs, and what it has said."""

    argv: list[str]
    process: subprocess.Popen[bytes]
    on_stdout: Callable[[bytes], None] | None = None
    on_stderr: Callable[[bytes], None] | None = None
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    keep_log: bool = False
    moved: float = field(default_factory=gate.clock)
    """When its output or its CPU time last grew, s of the gate's clock."""
    cpu: float = -1.0
    open_pipes: int = 2

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

    def look(self) -> None:
        """Notes whether its CPU time has grown."""
        if self.process.poll() is not None:
            return
        try:
            with open(f"/proc/{self.process.pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            return
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        if cpu != self.cpu:
            self.cpu, self.moved = cpu, gate.clock()

    def completed(self, *, check: bool = True) -> Completed:
        log = self.stderr.decode("utf-8", "replace")
        status = self.process.wait()
        if status == 0 or not check:
            return Completed(bytes(self.stdout), log, status)
        if "No space left on device" in log:
            raise DiskFull("no space left on device; free some and try again", detail=log)
        raise CommandFailed(shlex.join(self.argv), status, log)


def start(
    children: list[Child],
    argv: Sequence[str | Path],
    cwd: Path | None,
    nice: int,
    limits: Limits,
    on_stdout: Callable[[bytes], None] | None,
    on_stderr: Callable[[bytes], None] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> Child:
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
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=in_child,
            )
        except OSError as error:
            raise ToolMissing(f"{words[0]} cannot be run: {error.strerror}") from None
        child = Child(words, process, on_stdout, on_stderr)
        children.append(child)
        gate.add(process)
    return child


def attend(children: list[Child], stall_seconds: float | None, ended: Callable[[Child], None]) -> None:
    """Drains the pipes until all have ended. `ended` is told each that has; it may start more.

    Raises:
        StalledError: none of them has moved for `stall_seconds`; one may well wait for another.
    """
    watched = 0
    with selectors.DefaultSelector() as selector:
        while watched < len(children) or selector.get_map():
            for child in children[watched:]:
                for number, stream in ((1, child.process.stdout), (2, child.process.stderr)):
                    assert stream is not None
                    os.set_blocking(stream.fileno(), False)
                    selector.register(stream, selectors.EVENT_READ, (child, number))
            watched = len(children)
            for key, _ in selector.select(timeout=1.0):
                child, number = key.data
                data = os.read(key.fd, 65_536)
                if data:
                    child.moved = gate.clock()
                    child.take(number, data)
                    continue
                selector.unregister(key.fileobj)
                child.open_pipes -= 1
                if not child.open_pipes:
                    _wait(child, children, stall_seconds)
                    ended(child)
            _check_moving(children, stall_seconds)


def _wait(child: Child, children: list[Child], stall_seconds: float | None) -> None:
    """For the end of one that has closed its output; it may go on without, or stall."""
    while True:
        try:
            child.process.wait(timeout=1.0)
            return
        except subprocess.TimeoutExpired:
            _check_moving(children, stall_seconds)


def _check_moving(children: list[Child], stall_seconds: float | None) -> None:
    if stall_seconds is None:
        return
    running = [child for child in children if child.process.poll() is None]
    if not running:
        return
    for child in running:
        child.look()
    latest = max(running, key=lambda child: child.moved)
    if gate.clock() - latest.moved > stall_seconds:
        raise StalledError(f"{Path(latest.argv[0]).name} made no progress for {stall_seconds:g} s")


def end(children: list[Child]) -> None:
    try:
        stop(children)
    except BaseException:
        # Interrupted once more, while they were being stopped: they must not stay for that.
        stop(children, LADDER[-1:])
        raise
    finally:
        for child in children:
            for stream in (child.process.stdout, child.process.stderr):
                if stream is not None:
                    stream.close()


def stop(children: list[Child], ladder: Sequence[signal.Signals] = LADDER) -> None:
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
