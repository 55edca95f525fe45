"""Child processes of the stack: started with default signals, watched, and ended with everything they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from video_pipeline.errors import ServiceDown
from video_pipeline.media.limits import die_with

LAST_LINES = 15


@dataclass
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def last_words(self) -> str:
        """The last lines of its log."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-LAST_LINES:])

    def why_ended(self) -> str:
        status = self.process.wait()
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        return f"{self.name} {how}; the last lines of {self.log}:\n{self.last_words()}"


def start(
    name: str,
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    logs: Path,
    cwd: Path,
    stop_signal: signal.Signals = signal.SIGTERM,
    patience: float = 10.0,
    keep_log: bool = False,
) -> Child:
    """Starts a child whose output goes to `<logs>/<name>.log`; what is there already becomes `<name>.log.1`,
    but for `keep_log`. It dies with this process, however that ends."""
    parent = os.getpid()

    def in_child() -> None:
        die_with(parent)
        # Dagster copies an ignored SIGINT onto SIGTERM and could then not be stopped.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)

    log = logs / f"{name}.log"
    if not keep_log and log.exists():
        log.replace(log.with_suffix(".log.1"))  # why the one before has ended may stand there
    # Two of one name may write at the same time.
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=in_child,
        )
    return Child(name, process, log, stop_signal, patience)


def finish(child: Child, seconds: float) -> str:
    """Waits for its end and returns the last line it printed.

    Raises:
        ServiceDown: it failed, or was not done in time; the message has the end of its log.
    """
    try:
        status = child.process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise ServiceDown(_late(child, seconds)) from None
    if status != 0:
        raise ServiceDown(child.why_ended())
    return child.log.read_text("utf-8", "replace").rstrip().rpartition("\n")[2]


def wait_until(child: Child, ready: Callable[[], bool], seconds: float) -> None:
    """Waits for a condition.

    Raises:
        ServiceDown: the child ended, or the time is over; the message has the end of its log.
    """
    deadline = time.monotonic() + seconds
    while True:
        # First: another program may answer where a dead one should.
        if not child.alive:
            raise ServiceDown(child.why_ended())
        if ready():
            return
        if time.monotonic() > deadline:
            raise ServiceDown(_late(child, seconds))
        time.sleep(0.05)


def _late(child: Child, seconds: float) -> str:
    return f"{child.name} was not ready after {seconds:.0f} s; see {child.log}\n{child.last_words()}"


def stop(children: Sequence[Child], patience: float | None = None) -> None:
    """Each its signal, its patience or this one, then KILL for its whole session; nothing they started is left."""
    for child in children:
        if child.alive:
            _signal(child, child.stop_signal)
    started = time.monotonic()
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            waited = time.monotonic() - started
            child.process.wait(max(0.0, (child.patience if patience is None else patience) - waited))
        # Its own children may outlive it.
        _signal(child, signal.SIGKILL, group=True)
        child.process.wait()


def _signal(child: Child, number: signal.Signals, *, group: bool = False) -> None:
    try:
        if group:
            os.killpg(child.process.pid, number)
        else:
            child.process.send_signal(number)
    except ProcessLookupError:
        pass
