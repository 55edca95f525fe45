"""Runs as the intake sees them: whether one lives, and why it failed, as its first failed step had it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from video_pipeline import errors
from video_pipeline.errors import Cancelled, ErrorClass, Interrupted, PipelineError, TransientError
from video_pipeline.execution.tags import CLAIM_TAG, JOB_TAG, QUEUE_TAG
from video_pipeline.intake.decide import RunView

INTERRUPTS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")
SLOT_TAKERS = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
MOST_SAID = 300
"""Letters of what a launch raised; redis-py prints all it knows about every Sentinel."""
WAITING = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED]


@dataclass(frozen=True)
class Runs:
    """The intake's runs at one moment.

    Attributes:
        of_claims: claim to its run.
        unfinished: every run that was asked for by this queue and has not ended, whoever holds its job now.
        others: how many slots are taken by runs that no job asked for.
    """

    of_claims: Mapping[str, DagsterRun]
    unfinished: list[DagsterRun]
    others: int


def look(instance: DagsterInstance, epoch: str, claims: list[str]) -> Runs:
    """Three queries, however many jobs are held and however many runs of a backfill wait."""
    taking = instance.get_runs(RunsFilter(statuses=SLOT_TAKERS))
    waiting = instance.get_runs(RunsFilter(statuses=WAITING, tags={QUEUE_TAG: epoch}))
    # A run that was executed again from the Dagster UI has its parent's tags, and is no run of ours.
    ours = [run for run in (*taking, *waiting) if run.tags.get(QUEUE_TAG) == epoch and run.parent_run_id is None]
    found = {run.tags[CLAIM_TAG]: run for run in ours}
    missing = [claim for claim in claims if claim not in found]
    if missing:
        ended = instance.get_runs(RunsFilter(tags={CLAIM_TAG: missing}))
        found |= {run.tags[CLAIM_TAG]: run for run in ended if run.parent_run_id is None}
    ids = {run.run_id for run in ours}
    return Runs(found, ours, sum(run.run_id not in ids for run in taking))


def orphans(runs: Runs, held: Mapping[str, str]) -> list[DagsterRun]:
    """Unfinished runs whose job we no longer hold under their claim.

    Args:
        held: job id to its claim.
    """
    return [run for run in runs.unfinished if held.get(run.tags.get(JOB_TAG, "")) != run.tags.get(CLAIM_TAG)]


def view(instance: DagsterInstance, run: DagsterRun) -> RunView:
    if run.status == DagsterRunStatus.NOT_STARTED:
        return RunView(run.run_id, "requested")
    if not run.is_finished:
        return RunView(run.run_id, "live")
    if run.status == DagsterRunStatus.SUCCESS:
        return RunView(run.run_id, "succeeded")
    if run.status == DagsterRunStatus.CANCELED:
        return RunView(run.run_id, "cancelled")
    error = first_failure(instance, run.run_id)
    if error is None:
        record = instance.get_run_record_by_id(run.run_id)
        started = record is None or record.start_time is not None
        return RunView(run.run_id, "lost") if started else _not_started(instance, run.run_id)
    if error.code == Cancelled.code:
        # Cancelled by force, and its executor had the last word.
        return RunView(run.run_id, "cancelled")
    if error.code == Interrupted.code:
        return RunView(run.run_id, "stopped")
    return RunView(run.run_id, "failed", error.error_class, error.code, error.sentence)


def _not_started(instance: DagsterInstance, run_id: str) -> RunView:
    """No worker began with the video, so the failure is not its doing. Why: what was raised when it was launched, else
    what Dagster's monitor says."""
    why = "Dagster does not say why"
    for record in instance.all_logs(run_id, of_type={DagsterEventType.ENGINE_EVENT, DagsterEventType.PIPELINE_FAILURE}):
        event = record.dagster_event
        if event and (error := getattr(event.event_specific_data, "error", None)):
            why = textwrap.shorten(error.message, MOST_SAID)
            break
        if event and event.event_type == DagsterEventType.PIPELINE_FAILURE:
            why = (event.message or why).partition("\n")[0]
    sentence = f"run {run_id} could not be started, look at the broker and the workers: {why}"
    return RunView(run_id, "failed", "dependency", "not-started", sentence)


@dataclass(frozen=True)
class StepError:
    """An error that went through Dagster: its class and code of the tree in errors.py, and its sentence."""

    error_class: ErrorClass
    code: str
    sentence: str


def first_failure(instance: DagsterInstance, run_id: str) -> StepError | None:
    """None if no step failed of itself."""
    for record in instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE):
        if record.dagster_event and record.dagster_event.step_failure_data.error:
            return step_error(record.dagster_event.step_failure_data)
    return None


def step_error(failed: Any) -> StepError:
    """From Dagster's StepFailureData: the notes of `assets.stage`, else what was raised."""
    notes = failed.user_failure_data.metadata if failed.user_failure_data else {}
    if "error_class" in notes:
        said, code, text = (str(notes[name].value) for name in ("error_class", "error_code", "error"))
        return StepError(cast(ErrorClass, said), code, text)
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
