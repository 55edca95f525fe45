"""Runs `video-pipeline` as people do, in a process of its own, and looks for what it left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")


def environment(home: Path, **extra: str) -> dict[str, str]:
    """No setting of the machine reaches the command, only the home and what the test adds."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIDEO_PIPELINE_", "DAGSTER"))}
    return {**kept, "VIDEO_PIPELINE_HOME": str(home), **extra}


def command(*arguments: str | Path) -> list[str]:
    """Python looks for the package in the current directory first: to run a copy, be there."""
    return [sys.executable, "-m", "video_pipeline", *map(str, arguments)]


def run(home: Path, *arguments: str | Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end; `extra` are environment variables."""
    return subprocess.run(
        command(*arguments),
        env=environment(home, **extra),
        cwd=extra.get("PYTHONPATH"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@contextmanager
def started(home: Path, *arguments: str | Path, **extra: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a session of its own, as a terminal starts it; nothing of it is left afterwards."""
    process = subprocess.Popen(
        command(*arguments),
        env=environment(home, **extra),
        cwd=extra.get("PYTHONPATH"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        for left in processes(home):
            left.kill()
        process.communicate()


def processes(home: Path) -> list[psutil.Process]:
    """Every living process started for this home, whoever its parent is now: it inherited the variable."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("VIDEO_PIPELINE_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def encoders(among: Iterable[psutil.Process]) -> list[psutil.Process]:
    """The x264 encodes among these; a process that ends meanwhile is none, nor is a trial of one black picture, which
    may be over before it is killed."""

    def encodes(process: psutil.Process) -> bool:
        try:
            words = process.cmdline()
        except psutil.Error:
            return False
        return "libx264" in words and "lavfi" not in words

    return [process for process in among if encodes(process)]


def wait_for(what: Callable[[], T | None], seconds: float = 60, every: float = 0.02) -> T:
    """The first true value of `what`, which is asked `every` so many seconds; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := what():
            return value
        time.sleep(every)
    raise AssertionError(f"not within {seconds:g} s")


def files_below(*places: Path) -> list[Path]:
    """Every file in these directories, which need not exist."""
    return sorted(path for place in places for path in place.rglob("*") if not path.is_dir())
