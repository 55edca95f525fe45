"""Why a run failed, as its first failed step had it."""

from __future__ import annotations

from dagster import DagsterEventType, DagsterInstance


def first_failure(instance: DagsterInstance, run_id: str) -> tuple[str | None, str]:
    """The error's class and sentence; the class is None if no step failed of itself: the worker was lost."""
    for record in instance.all_logs(run_id, of_type=DagsterEventType.STEP_FAILURE):
        event = record.dagster_event
        failed = event.step_failure_data if event else None
        notes = failed.user_failure_data.metadata if failed and failed.user_failure_data else {}
        if "error_class" in notes:
            code, kind = str(notes["error_code"].value), str(notes["error_class"].value)
            return ("interrupted" if code == "interrupted" else kind), str(notes["error"].value)
        if failed and failed.error:
            return "transient", failed.error.message.strip().splitlines()[0]
    return None, ""
