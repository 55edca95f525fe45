"""Dagster's run queue: as many runs at once as there are slots."""

from __future__ import annotations

from dagster import DagsterRun
from dagster._core.run_coordinator.base import SubmitRunContext
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator, RunQueueConfig
from dagster._core.storage.tags import BACKFILL_ID_TAG, PRIORITY_TAG

from video_pipeline import settings
from video_pipeline.errors import ServiceDown
from video_pipeline.execution.slots import slots

BACKFILL_PRIORITY = "-10"


class SlotRunCoordinator(QueuedRunCoordinator):
    """The limit is the number of live slots, so a run that is launched starts at once. Backfills go last and leave a
    slot to new videos, if there are two."""

    def get_run_queue_config(self) -> RunQueueConfig:
        try:
            free = slots(settings.load())
        except ServiceDown:
            free = 0  # nothing is launched that nobody would execute
        limits = [{"key": BACKFILL_ID_TAG, "limit": max(1, free - 1)}]
        return super().get_run_queue_config()._replace(max_concurrent_runs=free, tag_concurrency_limits=limits)

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        run = context.dagster_run
        if BACKFILL_ID_TAG in run.tags and PRIORITY_TAG not in run.tags:
            self._instance.add_run_tags(run.run_id, {PRIORITY_TAG: BACKFILL_PRIORITY})
        return super().submit_run(context)
