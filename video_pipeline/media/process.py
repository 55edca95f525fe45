"""Run child processes: limited, watched, and stopped on every way out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from video_pipeline.media.child import Child, Completed, attend, end, start, stop
from video_pipeline.media.limits import Limits

__all__ = ["Completed", "Job", "run", "run_all", "run_queue"]


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
    stdin: int = subprocess.DEVNULL,
) -> Completed:
    """Runs one child to its end.

    Args:
        stall_seconds: the child is stopped when neither its output nor its CPU time moves for this long.
        on_stdout: gets standard output as it comes, instead of `Completed.stdout`.
        on_stderr: gets standard error as it comes, too.
        keep_log: all of standard error is wanted, not only its last lines.
        stdin: a descriptor for its standard input, see `pipes`.

    Raises:
        CommandFailed: it ended with another status than 0.
        StalledError, DiskFull, ToolMissing: as their names say.
    """
    children: list[Child] = []
    try:
        child = start(children, argv, cwd, nice, limits or Limits(), on_stdout, on_stderr, stdin)
        child.keep_log = keep_log
        attend(children, stall_seconds, lambda _: None)
    finally:
        end(children)
    return child.completed()


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
    children: list[Child] = []
    failed: list[Child] = []

    def ended(child: Child) -> None:
        if check and child.process.returncode:
            failed.append(child)
            stop(children)

    try:
        for argv in argvs:
            start(children, argv, cwd, nice, limits or Limits(), None).keep_log = keep_log
        attend(children, stall_seconds, ended)
    finally:
        end(children)
    if failed:
        failed[0].completed()  # raises; the others were only stopped
    return [child.completed(check=check) for child in children]


@dataclass(frozen=True)
class Job:
    """A child to be run."""

    argv: Sequence[str | Path]
    done: Callable[[Completed], None]
    """Called when it has ended well, while others go on."""
    on_stdout: Callable[[bytes], None] | None = None
    on_stderr: Callable[[bytes], None] | None = None
    cwd: Path | None = None


def run_queue(
    jobs: Iterable[Job],
    at_once: int,
    *,
    nice: int = 0,
    limits: Limits | None = None,
    stall_seconds: float | None = None,
) -> None:
    """Runs one after the other, up to `at_once` at a time; each is taken from `jobs` when its turn comes.

    Raises: as `run`, for the first that failed, and what `done` raises; the others are stopped.
    """
    waiting = iter(jobs)
    children: list[Child] = []
    running: dict[int, Job] = {}

    def take() -> None:
        job = next(waiting, None)
        if job is not None:
            child = start(children, job.argv, job.cwd, nice, limits or Limits(), job.on_stdout, job.on_stderr)
            running[id(child)] = job

    def ended(child: Child) -> None:
        completed = child.completed()
        running.pop(id(child)).done(completed)
        end([child])
        take()

    try:
        for _ in range(at_once):
            take()
        attend(children, stall_seconds, ended)
    finally:
        end(children)
