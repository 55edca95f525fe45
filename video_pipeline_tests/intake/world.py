"""A reconciler with a real queue, index, run storage and launcher around it. What Dagster's daemon and the workers do
is done by hand here, at any moment, and so is dying between any two effects."""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timezone
from pathlib import Path

import dagster as dg
import pytest
from bullmq import Queue
from dagster import DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.events import DagsterEvent
from dagster._core.events.log import EventLogEntry
from dagster._core.execution.plan.objects import StepFailureData, UserFailureData
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster_shared.error import SerializableErrorInfo

from video_pipeline.errors import PipelineError
from video_pipeline.execution.coordinator import SlotRunCoordinator
from video_pipeline.execution.launcher import VideoRunLauncher
from video_pipeline.execution.slots import Announcement
from video_pipeline.execution.tags import CLAIM_TAG, REQUEST_TAG, VIDEO_TAG
from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import Bull
from video_pipeline.intake.control import Control
from video_pipeline.intake.reconcile import Reconciler
from video_pipeline.intake.wanted import Wanted
from video_pipeline.settings import Settings
from video_pipeline.stores.requests import Requests
from video_pipeline_tests.intake.mortal import Died, Fuse, MortalLoop, MortalRedis

SLOTS = 2
ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("video_pipeline"), "__repository__"), "process_video"
)
"""Dagster refuses a queued run that does not say where its job comes from."""


class World:
    def __init__(self, settings: Settings, instance: dg.DagsterInstance, requests: Requests) -> None:
        self.settings, self.instance, self.requests = settings, instance, requests
        self.fuse = Fuse()
        launcher, coordinator = VideoRunLauncher(), SlotRunCoordinator(dequeue_interval_seconds=1)
        for part in (launcher, coordinator):
            part.register_instance(instance)
        vars(instance)["_run_launcher"], vars(instance)["_run_coordinator"] = launcher, coordinator
        self.bull = Bull(settings)
        self.plain = self.bull.redis
        self.bull.redis = self.bull.ledger.redis = MortalRedis(self.plain, self.fuse)
        self.bull.loop = MortalLoop(self.bull.loop, self.fuse)  # type: ignore[assignment]
        self.active, self.control = Active(self.bull), Control(self.bull)
        self._announce()
        self.owner = "first:1"
        self.published: list[tuple[str, str]] = []
        """Video and request of every publication."""

    def _announce(self) -> None:
        keys = self.bull.ledger.keys
        announced = Announcement(self.settings.model_copy(update={"worker_slots": SLOTS}))
        self.plain.zadd(keys.workers, {announced._member: time.time() + 3600})

    def close(self) -> None:
        self.active.close()
        self.bull.close()
        self.instance.dispose()

    def tick(self, *, dies_after: int | None = None, robbed_at: int | None = None) -> list[Wanted]:
        """What the sensor does.

        Args:
            dies_after: this many effects (each counts twice: before and after).
            robbed_at: before this effect another daemon gets the lease.

        Raises:
            ConflictError: it was robbed before its last effect.
        """
        number = self.bull.ledger.lease(self.owner)
        if number is None:
            return []
        looks = 0

        def keep() -> None:
            nonlocal looks
            looks += 1
            if looks == robbed_at:
                self.plain.delete(self.bull.ledger.keys.lease)
                self.bull.ledger.lease("thief:2")
            self.bull.ledger.keep(self.owner, number)

        reconciler = Reconciler(self.active, self.control, self.requests, self.instance, keep=keep)
        self.fuse.left = dies_after
        try:
            return reconciler.work()[0]
        except Died:
            return []
        finally:
            self.fuse.left = None

    # --- what Dagster's daemon does

    def create(self, wanted: Wanted, status: DagsterRunStatus) -> None:
        """A run of this key, unless there was one: Dagster submits one that was only written down."""
        for run in self.instance.get_runs(RunsFilter(tags={CLAIM_TAG: wanted.run_key})):
            if run.status == DagsterRunStatus.NOT_STARTED and status == DagsterRunStatus.QUEUED:
                self.event(run, "PIPELINE_ENQUEUED")
            return
        run_id = str(uuid.uuid4())
        self.instance.add_run(
            DagsterRun("process_video", run_id, tags=wanted.tags, status=status, remote_job_origin=ORIGIN)
        )

    def startable(self) -> list[DagsterRun]:
        """Queued runs that the coordinator would let go: slots are free and nobody works on their video."""
        busy = [run for run in self.unfinished() if run.status not in (*self.WAITING,)]
        videos = {run.tags[VIDEO_TAG] for run in busy}
        queued = self.instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.QUEUED]))
        return [run for run in queued if run.tags[VIDEO_TAG] not in videos] if len(busy) < SLOTS else []

    WAITING = (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED)

    def unfinished(self) -> list[DagsterRun]:
        return [run for run in self.instance.get_runs() if not run.is_finished]

    def working(self) -> list[DagsterRun]:
        """Runs that a worker executes."""
        return [run for run in self.unfinished() if run.status not in self.WAITING]

    # --- what workers do

    def start(self, run: DagsterRun) -> None:
        self.event(run, "PIPELINE_STARTING")
        self.plain.set(self.bull.ledger.keys.alive(run.run_id), "1")
        self.event(run, "PIPELINE_START")

    def publish(self, run: DagsterRun) -> None:
        video, version = run.tags[VIDEO_TAG], run.tags[REQUEST_TAG]
        self.published.append((video, version))
        pointer = self.settings.store / "videos" / video / "current.json"
        pointer.parent.mkdir(parents=True, exist_ok=True)
        pointer.write_text(f'{{"schemaVersion": 1, "videoId": "{video}", "releaseId": "r{version}", "sequence": 1}}')
        self.requests.mark_published(video, int(version), f"r{version}")

    def end(self, run: DagsterRun, event: str, error: PipelineError | None = None) -> None:
        """`event` is Dagster's: PIPELINE_SUCCESS, PIPELINE_FAILURE or PIPELINE_CANCELED."""
        if error is not None:
            self._step_failure(run, error)
        self.plain.delete(self.bull.ledger.keys.alive(run.run_id))
        self.event(run, event)
        self.bull.ledger.wake(run.run_id)

    def _step_failure(self, run: DagsterRun, error: PipelineError) -> None:
        said = dg.Failure(
            str(error),
            metadata={"error_class": error.error_class, "error_code": error.code, "error": str(error)},
        )
        # Dagster has no types for these.
        data = StepFailureData(  # type: ignore[no-untyped-call]
            SerializableErrorInfo(str(error), [], "Failure"),
            UserFailureData("e", str(error), said.metadata),  # type: ignore[no-untyped-call]
        )
        event = DagsterEvent("STEP_FAILURE", run.job_name, step_key="s", event_specific_data=data)
        entry = EventLogEntry(  # type: ignore[no-untyped-call]
            None, 40, "", run.run_id, time.time(), job_name=run.job_name, dagster_event=event
        )
        self.instance.handle_new_event(entry)

    def event(self, run: DagsterRun, kind: str) -> None:
        event = DagsterEvent(event_type_value=kind, job_name=run.job_name)
        self.instance.run_storage.handle_run_event(run.run_id, event, datetime.now(timezone.utc))

    # --- what the queue says

    def endings(self, job_id: str) -> list[str]:
        """The job's completed and failed events; a failed attempt that comes back is no such event."""
        events = self.plain.xrange(self.bull.key("events"))
        return [e["event"] for _, e in events if e.get("jobId") == job_id and e["event"] in ("completed", "failed")]

    def add_control(self, name: str, data: dict[str, str]) -> None:
        async def add() -> None:
            options = {"connection": self.bull.connection, "prefix": self.settings.queue_prefix}
            await Queue(self.bull.control_name, options).add(name, data, {})

        self.bull.loop.run(add())

    def remove(self, job_id: str) -> None:
        """By force: from every list, and its hash."""
        key = self.bull.key
        for name in ("active", "wait"):
            self.plain.lrem(key(name), 0, job_id)
        for name in ("prioritized", "delayed", "completed", "failed"):
            self.plain.zrem(key(name), job_id)
        self.plain.delete(key(job_id), key(job_id, "lock"))

    def promote(self) -> list[str]:
        """Lets the time pass that delayed jobs wait for."""
        ids = [str(job_id) for job_id in self.plain.zrange(self.bull.key("delayed"), 0, -1)]
        for job_id in ids:
            job = self.bull.job(job_id)
            assert job is not None
            self.bull.loop.run(job.promote())
        return ids


def new_world(redis_url: str, home: Path, requests: Requests, environment: pytest.MonkeyPatch) -> World:
    """With a queue and a run storage of its own."""
    name = uuid.uuid4().hex[:8]
    ours = Settings(
        home=home / name,
        redis_url=redis_url,
        queue=f"q-{name}",
        key_prefix=f"{{k-{name}}}",
        min_free_gb=0.0,
    )
    for variable, value in ours.environment().items():
        environment.setenv(variable, value)
    return World(ours, dg.DagsterInstance.ephemeral(), requests)
