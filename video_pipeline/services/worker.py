"""The worker's side of Celery: executes a run in a warm child. `video-pipeline worker` starts it."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from multiprocessing.util import Finalize
from typing import Any

from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus
from dagster._cli.api import _execute_run_command_body
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value
from dagster_celery.config import TASK_EXECUTE_JOB_NAME

import video_pipeline.definitions
from video_pipeline import settings
from video_pipeline.execution import celery_app
from video_pipeline.execution.running import executing
from video_pipeline.execution.slots import Announcement
from video_pipeline.execution.watch import RunWatch
from video_pipeline.services.leaving import Leaving
from video_pipeline.stores.budget import working
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.scratch import scratch, sweep

configured = settings.load()
app = celery_app.make(configured)
announcement = Announcement(configured, on_drain=lambda: leaving.begin())
leaving: Leaving = Leaving(configured, app, announcement.name, announcement.drain)
# Loaded here, so that every forked child has it.
definitions = video_pipeline.definitions.defs


@app.task(name=TASK_EXECUTE_JOB_NAME)  # type: ignore[untyped-decorator]
def execute_job(execute_job_args_packed: dict[str, Any]) -> int:
    """Executes one Dagster run; takes the place of dagster-celery's task of this name."""
    args = unpack_value(execute_job_args_packed, as_type=ExecuteRunArgs)
    with (
        DagsterInstance.get() as instance,
        RunWatch(configured, args.run_id, lambda: _over(instance, args.run_id)),
        executing(configured, announcement.name, args.run_id),
        working(LocalStore(configured.store), configured.checkpoint_bytes),
    ):
        status: int = _execute_run_command_body(
            instance=instance, run_id=args.run_id, write_stream_fn=lambda _: None, set_exit_code_on_failure=True
        )
        _keep_cancelled(instance, args.run_id)
        return status


def _keep_cancelled(instance: DagsterInstance, run_id: str) -> None:
    """Dagster's executor writes down that the interrupted step failed, also of a run that was marked as canceled by
    force meanwhile."""
    run = instance.get_run_by_id(run_id)
    failed = run is not None and run.status == DagsterRunStatus.FAILURE
    if run is not None and failed and instance.all_logs(run_id, of_type=DagsterEventType.PIPELINE_CANCELED):
        instance.report_run_canceled(run)


def _over(instance: DagsterInstance, run_id: str) -> bool:
    """Ended by somebody else, or about to be."""
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished or run.status == DagsterRunStatus.CANCELING


@worker_ready.connect  # type: ignore[untyped-decorator]
def announce(sender: Any, **_: Any) -> None:
    leaving.take_signals(sender)
    announcement.start()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def withdraw(**_: Any) -> None:
    """At the beginning of a shutdown that Celery itself was told to do."""
    announcement.drain()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def gone(**_: Any) -> None:
    announcement.stop()


def main() -> None:
    """Runs the worker in this process until it is told to stop."""
    arguments = ["worker", "--queues", celery_app.QUEUE, "--concurrency", str(configured.worker_slots)]
    arguments += ["--pool", "prefork", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    # Two workers of one host must not share a mailbox.
    arguments += ["--hostname", f"{os.getpid()}@%h"]
    if configured.scratch.is_dir():
        sweep(configured.scratch)  # after one that was killed
    # Celery's pool keeps a temporary directory and leaves it behind.
    temporary = ExitStack()
    tempfile.tempdir = str(temporary.enter_context(scratch(configured.home / "tmp")))
    # After the finalizer that would have removed it, whose priority is -100.
    Finalize(None, temporary.close, exitpriority=-200)
    app.worker_main(arguments)
