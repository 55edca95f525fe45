"""A reconciler that ticks against a real queue, index and run storage; the runs are written by hand."""

from __future__ import annotations

import sqlite3
import uuid
from datetime import datetime, timezone
from typing import Any

import dagster as dg
from dagster._core.events import DagsterEvent

from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import Bull
from video_pipeline.intake.control import Control
from video_pipeline.intake.reconcile import Reconciler
from video_pipeline.intake.wanted import Wanted
from video_pipeline.settings import Settings
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests


class World:
    """A reconciler and what is around it."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings, self.instance = settings, instance
        self.bull = Bull(settings)
        self.active, self.control = Active(self.bull), Control(self.bull)
        index = Index(settings.index_url)
        index.upgrade()
        self.requests = Requests(index)

    def tick(self) -> list[Wanted]:
        """Every tick by a new reconciler, as after a crash; it ends when there is nothing to do but wait, however slow
        the machine is."""
        return self.reconciler().work()[0]

    def reconciler(self, **how: Any) -> Reconciler:
        return Reconciler(self.active, self.control, self.requests, self.instance, **how)

    def close(self) -> None:
        self.active.close()
        self.bull.close()

    def run(self, wanted: Wanted, status: dg.DagsterRunStatus, *, started: bool = True) -> str:
        """`started` is for one that failed: a worker had begun it."""
        run = dg.DagsterRun(job_name="process_video", run_id=str(uuid.uuid4()), tags=wanted.tags, status=status)
        self.instance.add_run(run)
        if status == dg.DagsterRunStatus.FAILURE and started:
            self._event(run, "PIPELINE_START")
            self._event(run, "PIPELINE_FAILURE")
        return run.run_id

    def end(self, wanted: Wanted, status: dg.DagsterRunStatus) -> None:
        (run,) = self.instance.get_runs(dg.RunsFilter(tags={"video/claim": wanted.run_key}))
        kind = "PIPELINE_SUCCESS" if status == dg.DagsterRunStatus.SUCCESS else "PIPELINE_FAILURE"
        self._event(run, kind)

    def _event(self, run: dg.DagsterRun, kind: str) -> None:
        event = DagsterEvent(event_type_value=kind, job_name=run.job_name)
        self.instance.run_storage.handle_run_event(run.run_id, event, datetime.now(timezone.utc))

    def sql(self, query: str) -> list[Any]:
        with sqlite3.connect(self.settings.home / "index.db") as connection:
            return connection.execute(query).fetchall()


def publish(world: World) -> None:
    """The rows and the pointer, as metadata_index and release leave them."""
    pointer = world.settings.store / "videos" / "a" / "current.json"
    pointer.parent.mkdir(parents=True)
    pointer.write_text('{"schemaVersion": 1, "videoId": "a", "releaseId": "r1", "sequence": 1}')
    world.requests.mark_published("a", 1, "r1")


def put_back(world: World, job_id: str) -> None:
    """As the check for stalled jobs of another consumer does."""
    key = world.bull.key
    assert world.bull.redis.lrem(key("active"), 1, job_id)
    world.bull.redis.delete(key(job_id, "lock"))
    world.bull.redis.rpush(key("wait"), job_id)
