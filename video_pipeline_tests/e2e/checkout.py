"""A copy of the project that a test may change, and a stack or a worker that runs its code."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import psutil

from video_pipeline.execution.tags import VIDEO_TAG
from video_pipeline.settings import PROJECT
from video_pipeline_tests.e2e.conftest import RunningStack, addresses
from video_pipeline_tests.processes import command, encoders, environment, started, wait_for


@dataclass(frozen=True)
class Checkout:
    root: Path

    @classmethod
    def make(cls, root: Path) -> Checkout:
        root.mkdir()
        for name in ("workspace.yaml", "dagster.yaml"):
            shutil.copy(PROJECT / name, root)
        shutil.copytree(
            PROJECT / "video_pipeline", root / "video_pipeline", ignore=shutil.ignore_patterns("__pycache__")
        )
        return cls(root)

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.root)}

    @contextmanager
    def changed(self, name: str, old: str, new: str) -> Iterator[None]:
        """A file of the package has another text for as long as the block."""
        path = self.root / "video_pipeline" / name
        before = path.read_text()
        self.change(name, old, new)
        try:
            yield
        finally:
            path.write_text(before)

    def change(self, name: str, old: str, new: str) -> None:
        path = self.root / "video_pipeline" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    @contextmanager
    def up(self, home: Path, **extra: str) -> Iterator[Deployed]:
        with started(home, "up", **self.environment, **extra) as process:
            yield Deployed(home, process, addresses(home, process), extra=self.environment)

    @contextmanager
    def worker(self, stack: RunningStack, **extra: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker by itself, as on another host: one slot, and ended when the block is."""
        settings = {
            "VIDEO_PIPELINE_REDIS_URL": str(stack.settings.redis_url),
            "VIDEO_PIPELINE_WORKER_SLOTS": "1",
            **self.environment,
        }
        process = subprocess.Popen(
            command("worker"),
            env=environment(stack.home, **settings, **extra),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(lambda: name_of(stack, process.pid) or process.poll() is not None)
            assert process.poll() is None
            yield process
        finally:
            process.kill()
            process.wait()


class Deployed(RunningStack):
    """A running stack, and what can be seen of it."""

    @property
    def now(self) -> dict[str, Any]:
        """What it says of itself now."""
        found: dict[str, Any] = json.loads((self.home / "run" / "stack.json").read_text())
        return found

    def submit(self, clip: Path, video: str, preset: str = "draft") -> None:
        done = self.command("submit", clip, "--video-id", video, "--preset", preset)
        assert done.returncode == 0, done.stderr

    def workers(self) -> dict[str, dict[str, Any]]:
        """By name, as `status` has them."""
        found = json.loads(self.command("status", "--json").stdout)["workers"]
        return {worker["name"]: worker for worker in found}

    def published(self, video: str) -> bool:
        return (self.home / "store" / "videos" / video / "current.json").exists()

    def runs(self, video: str) -> list[str]:
        """The states of all runs there ever were of a video."""
        with self.instance() as instance:
            return [run.status.value for run in instance.get_runs(dg.RunsFilter(tags={VIDEO_TAG: video}))]

    def queues(self, video: str) -> list[str]:
        """The Celery queues its runs were sent to; their names end with the code's version."""
        with self.instance() as instance:
            return [
                str(event.dagster_event.engine_event_data.metadata["Celery Queue"].value)
                for run in instance.get_runs(dg.RunsFilter(tags={VIDEO_TAG: video}))
                for event in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
                if event.dagster_event and "Celery Queue" in event.dagster_event.engine_event_data.metadata
            ]

    def done(self, video: str) -> bool:
        """Its one job is completed, at the first attempt."""
        jobs = self.redis.zrange("bull:video-intake:completed", 0, -1)
        fields = [self.redis.hgetall(f"bull:video-intake:{job}") for job in jobs]
        return [one.get("atm") for one in fields if json.loads(one["data"])["videoId"] == video] == ["1"]


def name_of(stack: RunningStack, pid: int) -> str | None:
    """What the worker of this process is called."""
    from video_pipeline.execution.slots import workers

    return next((one.name for one in workers(stack.settings) if one.name.endswith(f":{pid}")), None)


def encoders_of(pid: int) -> list[psutil.Process]:
    """The encodes of one worker."""
    try:
        return encoders(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []
