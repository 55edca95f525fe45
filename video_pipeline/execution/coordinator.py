"""Dagster's run queue: as many runs at once as there are slots, one per video, backfills last."""

from __future__ import annotations

import logging

from dagster import DagsterRun
from dagster._core.run_coordinator.base import SubmitRunContext
from dagster._core.run_coordinator.queued_run_coordinator import QueuedRunCoordinator, RunQueueConfig
from dagster._core.storage.tags import BACKFILL_ID_TAG, PARTITION_NAME_TAG, PRIORITY_TAG

from video_pipeline import settings
from video_pipeline.errors import ServiceDown
from video_pipeline.execution import broker
from video_pipeline.execution.slots import slots
from video_pipeline.execution.tags import VIDEO_TAG

logger = logging.getLogger(__name__)
BACKFILL_PRIORITY = -(2**21) - 1
"""Below every job of the queue: BullMQ's last priority is 2^21, and a run of the intake carries it negated."""


class SlotRunCoordinator(QueuedRunCoordinator):
    """The limit is the number of live slots, so a run that is launched starts at once. Two runs of one video would mix
    their files, so the second waits. Backfills go last and leave a slot to new videos, if there are two."""

    _told = False
    """That nothing is launched."""

    @property
    def dequeue_interval_seconds(self) -> float:  # type: ignore[override]  # Dagster only ever adds it to a time
        """The loop sleeps half a second at a time; the configuration knows whole seconds only, which are two sleeps."""
        return 0.4

    def get_run_queue_config(self) -> RunQueueConfig:
        free = self._free()
        limits = [
            {"key": BACKFILL_ID_TAG, "limit": max(1, free - 1)},
            {"key": PARTITION_NAME_TAG, "value": {"applyLimitPerUniqueValue": True}, "limit": 1},
        ]
        return super().get_run_queue_config()._replace(max_concurrent_runs=free, tag_concurrency_limits=limits)

    def _free(self) -> int:
        """Nothing is launched that nobody would execute, or that cannot be sent: Dagster calls such a run a failure."""
        ours = settings.load()
        try:
            free = slots(ours)
            broker.ask(ours)
        except ServiceDown as error:
            # Asked twice a second; and by `process`, which needs neither queue nor workers.
            if not self._told and ours.redis_url is not None:
                logger.warning("no run is launched: %s", error)
            self._told = True
            return 0
        self._told = False
        return free

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """Every run passes here, wherever it was launched: the list of runs shall say of each which video it is
        about."""
        run = context.dagster_run
        tags = {}
        if PARTITION_NAME_TAG in run.tags:
            tags[VIDEO_TAG] = run.tags[PARTITION_NAME_TAG]
        if BACKFILL_ID_TAG in run.tags and PRIORITY_TAG not in run.tags:
            tags[PRIORITY_TAG] = str(BACKFILL_PRIORITY)
        if new := {key: value for key, value in tags.items() if run.tags.get(key) != value}:
            self._instance.add_run_tags(run.run_id, new)
        return super().submit_run(context)
