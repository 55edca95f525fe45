"""Dagster's run launcher: hands runs to warm Celery children, stops them kindly, and knows when one is dead."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import redis
from dagster import DagsterRun, DagsterRunStatus
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from typing_extensions import Self

from video_pipeline import settings
from video_pipeline.connection import client, one_node
from video_pipeline.execution import celery_app
from video_pipeline.execution.keys import CANCEL_TTL, Keys

GRACE_SECONDS = 15.0
"""After Redis was away, heartbeats need a moment to come back; until then nobody is declared dead."""
SLOW_SECONDS = 1.0


class VideoRunLauncher(CeleryRunLauncher):
    """See `dagster.yaml`. Its addresses come from the settings.

    Dagster's resume is not offered: under in_process_executor it would run finished steps again. A lost run fails and
    the intake starts a new one, which takes what is finished from its checkpoints.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._settings = settings.load()
        self._keys = Keys(self._settings)
        self._redis_failed = 0.0
        address, options = celery_app.app_options(self._settings)
        super().__init__(default_queue=celery_app.QUEUE, broker=address, config_source=options, inst_data=inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data=inst_data)

    @property
    def supports_resume_run(self) -> bool:
        return False

    def terminate(self, run_id: str) -> bool:
        """Asks the run to stop: its worker sees the key, interrupts itself and kills its child.

        A run that no worker has begun is ended here; a worker that begins it meanwhile sees the key.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        waiting = run.status in (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING)
        if run.status != DagsterRunStatus.CANCELING:
            self._instance.report_run_canceling(run)
        client(self._settings).set(self._keys.cancel(run_id), "1", ex=CANCEL_TTL)
        if waiting:
            task = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
            if task:
                self.celery.AsyncResult(task).revoke()
            self._instance.report_run_canceled(self._instance.get_run_by_id(run_id) or run)
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Alive as long as the run's heartbeat is there; while Redis is away nobody can tell."""
        asked, key = time.monotonic(), self._keys.alive(run.run_id)
        try:
            connection = client(self._settings)
            alive = bool(connection.exists(key))
            uptime = float(connection.info("server", **one_node(connection, key))["uptime_in_seconds"])
        except redis.RedisError as error:
            self._redis_failed = time.monotonic()
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"Redis does not answer: {error}")
        if time.monotonic() - asked > SLOW_SECONDS:
            # It stood still: what it answers then is about the time before.
            self._redis_failed = time.monotonic()
        if alive:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        back = min(uptime, time.monotonic() - self._redis_failed if self._redis_failed else uptime)
        if back < GRACE_SECONDS:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "Redis was away a moment ago")
        return CheckRunHealthResult(WorkerStatus.FAILED, "no heartbeat: the run's worker is gone")

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:
        task = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        return f"Celery task {task} on queue {self.default_queue}" if task else None
