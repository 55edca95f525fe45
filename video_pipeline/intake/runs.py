"""Runs as the intake sees them: whether one lives, and why it failed, as its first failed step had it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from video_pipeline import errors
from video_pipeline.errors import Interrupted, PipelineError, TransientError
from video_pipeline.execution.tags import CLAIM_TAG, JOB_TAG
from video_pipeline.intake.decide import RunView

INTERRUPTS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")


def newest(instance: DagsterInstance, job_id: str, claim: str) -> RunView | None:
    """The job's live run, else the run of this claim."""
    found = instance.get_runs(RunsFilter(tags={JOB_TAG: job_id}), limit=10)
    live = [run for run in found if not run.is_finished]
    ours = [run for run in found if run.tags.get(CLAIM_TAG) == claim]
    return next((_view(instance, run) for run in (*live, *ours)), None)


def _view(instance: DagsterInstance, run: DagsterRun) -> RunView:
    if not run.is_finished:
        return RunView(run.run_id, "live")
    if run.status == DagsterRunStatus.SUCCESS:
        return RunView(run.run_id, "succeeded")
    if run.status == DagsterRunStatus.CANCELED:
        return RunView(run.run_id, "cancelled")
    error = first_failure(instance, run.run_id)
    if error is None or error.code == Interrupted.code:
        return RunView(run.run_id, "lost")
    return RunView(run.run_id, "failed", error.error_class, error.sentence)


@dataclass(frozen=True)
class StepError:
    """An error that went through Dagster: its class and code of the tree in errors.py, and its sentence."""

    error_class: str
    code: str
    sentence: str


def first_failure(instance: DagsterInstance, run_id: str) -> StepError | None:
    """None if no step failed of itself: the worker was lost."""
    for record in instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE):
        if record.dagster_event and record.dagster_event.step_failure_data.error:
            return step_error(record.dagster_event.step_failure_data)
    return None


def step_error(failed: Any) -> StepError:
    """From Dagster's StepFailureData: the notes of `assets.stage`, else what was raised."""
    notes = failed.user_failure_data.metadata if failed.user_failure_data else {}
    if "error_class" in notes:
        return StepError(*(str(notes[name].value) for name in ("error_class", "error_code", "error")))
    # Raised around a step, as by the IO manager, it comes without notes.
    kind, sentence = root_cause(failed.error)
    return StepError(kind.error_class, kind.code, sentence)


def root_cause(error: Any) -> tuple[type[PipelineError], str]:
    """Class and message of what Dagster has wrapped (SerializableErrorInfo), the message as one line."""
    if error is None:
        return TransientError, "see the run in the Dagster UI"
    while error.cause is not None:
        error = error.cause
    if error.cls_name in INTERRUPTS:
        return Interrupted, "interrupted"
    ours = getattr(errors, error.cls_name or "", None)
    said = " ".join(error.message.split())
    if isinstance(ours, type) and issubclass(ours, PipelineError):
        return ours, said.partition(": ")[2]
    return TransientError, said
