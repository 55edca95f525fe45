"""What every step of a video has in common: progress, cancellation, and one place where errors become failures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import dagster as dg
from dagster import DagsterExecutionInterruptedError, DagsterRunStatus

from video_pipeline.errors import Cancelled, DiskFull, Interrupted, PipelineError, classify
from video_pipeline.execution.tags import JOB_TAG
from video_pipeline.media.gate import gate
from video_pipeline.progress.reporter import Reporter
from video_pipeline.resources import ProgressResource, StoreResource

# One more try within seconds; every longer wait belongs to the queue, else attempts would multiply.
RETRY = dg.RetryPolicy(max_retries=1, delay=2)
OWNERS = ["team:video-platform"]
_interrupted: set[str] = set()
"""Runs that were interrupted in this process."""


@dataclass
class Stage:
    """A running step."""

    name: str
    reporter: Reporter
    started: float = field(default_factory=time.monotonic)

    def progress(self, fraction: float) -> None:
        """Tells the share of this step that is done, 0 to 1."""
        self.reporter.report(self.name, fraction)

    @property
    def seconds(self) -> float:
        """Since its start, to the millisecond."""
        return round(time.monotonic() - self.started, 3)


@contextmanager
def stage(context: dg.AssetExecutionContext, progress: ProgressResource) -> Iterator[Stage]:
    """Runs a step's body: reports its start and end, and turns what it raises into `dg.Failure` by class."""
    name = "/".join(context.assets_def.keys_by_output_name.get("result", next(iter(context.selected_asset_keys))).path)
    _stop_if_interrupted(context, name)
    if gate.held:  # nothing begins while nobody can be told that we live
        with _interruptible(context, name):
            gate.wait()
        _stop_if_interrupted(context, name)
    reporter = progress.reporter(
        video_id=context.partition_key, run_id=context.run.run_id, job_id=context.run.tags.get(JOB_TAG)
    )
    running = Stage(name, reporter)
    reporter.report(name, 0.0)
    try:
        with _interruptible(context, name):
            yield running
            gate.wait()
        reporter.report(name, 1.0)
    except dg.Failure:
        raise
    except Exception as error:
        ours = classify(error)
        if isinstance(ours, DiskFull):
            _relieve(context)  # first of all: Dagster writes on that disk too
        if ours.detail:
            context.log.error("%s\n%s", ours, ours.detail)
        elif ours is not error:
            context.log.exception("%s", ours)
        raise failure(ours) from error
    finally:
        # What is told late could be told after the run's end.
        reporter.flush()


def _relieve(context: dg.AssetExecutionContext) -> None:
    """The next attempt shall find more room than this one did."""
    with suppress(PipelineError, OSError):
        dropped = StoreResource().relieve()
        context.log.warning("%.1f MB of checkpoints that no run uses were dropped", dropped / 1e6)


@contextmanager
def _interruptible(context: dg.AssetExecutionContext, name: str) -> Iterator[None]:
    try:
        yield
    except (DagsterExecutionInterruptedError, KeyboardInterrupt):
        # Under in_process_executor a retry policy would swallow the interrupt and run the step again.
        _interrupted.add(context.run.run_id)
        raise failure(_why_stopped(context, name)) from None


def failure(error: PipelineError) -> dg.Failure:
    """The step's failure: its metadata carry the class for the queue, its text is for people."""
    return dg.Failure(
        description=str(error),
        metadata={"error_class": error.error_class, "error_code": error.code, "error": str(error)},
        allow_retries=error.error_class == "transient" and not isinstance(error, Interrupted),
    )


def _stop_if_interrupted(context: dg.AssetExecutionContext, name: str) -> None:
    """in_process_executor goes on with steps that do not depend on the interrupted one."""
    run = context.instance.get_run_by_id(context.run.run_id)
    cancelled = run is not None and run.status in (DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED)
    if cancelled or context.run.run_id in _interrupted:
        raise failure(_why_stopped(context, name))


def _why_stopped(context: dg.AssetExecutionContext, name: str) -> PipelineError:
    """Cancelled by somebody, or the process is told to end: then another worker goes on."""
    run = context.instance.get_run_by_id(context.run.run_id)
    if run is not None and run.status in (DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED):
        return Cancelled(f"{name}: cancelled")
    return Interrupted(f"{name}: interrupted")
