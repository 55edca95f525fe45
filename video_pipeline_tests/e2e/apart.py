"""A stack whose worker is a process by itself, as on a host of its own: it can be killed and started again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from video_pipeline.execution.slots import workers
from video_pipeline.media import tools
from video_pipeline_tests.e2e.conftest import RunningStack, addresses
from video_pipeline_tests.e2e.jobs import PATIENCE
from video_pipeline_tests.processes import command, encoders, environment, processes, started, wait_for
from video_pipeline_tests.topologies import Topology

SLOTS = 2


class Apart(RunningStack):
    """Its ffmpeg is a script that writes down how it is called; take the script away, and there is no ffmpeg."""

    worker: psutil.Popen | None = None

    @property
    def ffmpeg(self) -> Path:
        return self.home / "bin" / "ffmpeg"

    def calls(self, *words: str) -> int:
        """How often ffmpeg was called with all these words."""
        lines = (self.home / "bin" / "calls").read_text().splitlines()
        return sum(set(words) <= set(line.split()) for line in lines)

    def encoders(self) -> list[psutil.Process]:
        return encoders(processes(self.home))

    def encoding(self) -> psutil.Process:
        """An encoder, once there is one."""
        (found, *_) = wait_for(self.encoders, PATIENCE)
        return found

    def start_worker(self) -> None:
        """As a supervisor does; returns at once."""
        own = {"VIDEO_PIPELINE_REDIS_URL": str(self.addresses["redisUrl"]), **self.variables}
        with (self.home / "logs" / "worker-apart.log").open("ab") as log:
            self.worker = psutil.Popen(command("worker"), env=environment(self.home, **own), stdout=log, stderr=log)

    def kill_worker(self) -> None:
        """Its main process; its children and theirs die with it."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait()

    def announced(self) -> bool:
        assert self.worker is not None
        assert self.worker.poll() is None, "the worker has ended"
        return any(one.name.endswith(f":{self.worker.pid}") for one in workers(self.settings))


@contextmanager
def apart(home: Path, topology: Topology | None = None, *, slots: int = SLOTS) -> Iterator[Apart]:
    ffmpeg, calls = home / "bin" / "ffmpeg", home / "bin" / "calls"
    ffmpeg.parent.mkdir(parents=True)
    calls.touch()
    real = shlex.quote(str(tools.find().ffmpeg))
    ffmpeg.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(calls))}\nexec {real} "$@"\n')
    ffmpeg.chmod(0o755)
    extra = {
        "VIDEO_PIPELINE_FFMPEG": str(ffmpeg),
        "VIDEO_PIPELINE_WORKER_SLOTS": str(slots),
        # A small file system is enough for a test.
        "VIDEO_PIPELINE_MIN_FREE_GB": "0",
    }
    with started(home, "up", **extra, **(topology.variables if topology else {})) as process:
        stack = Apart(home, process, addresses(home, process), topology, extra)
        (own,) = workers(stack.settings)
        stack.start_worker()
        wait_for(stack.announced)
        assert stack.command("drain", own.name).returncode == 0
        wait_for(lambda: [one.name for one in workers(stack.settings)] != [own.name] and not _lives(own.name))
        try:
            yield stack
        finally:
            stack.kill_worker()


def _lives(worker: str) -> bool:
    return os.path.exists(f"/proc/{worker.rsplit(':')[-1]}")
