"""What the intake makes of a run that ended, from what its executor wrote down."""

from __future__ import annotations

import dagster as dg
import pytest

from video_pipeline.assets.stage import failure
from video_pipeline.errors import Cancelled, Interrupted, PipelineError, SourceError, ToolMissing
from video_pipeline.intake.runs import view


@pytest.mark.parametrize(
    ("error", "state", "error_class"),
    [
        # As after a forced termination: the executor has the last word, and calls the interrupted step failed.
        (Cancelled("a: cancelled"), "cancelled", None),
        (Interrupted("a: interrupted"), "stopped", None),
        (ToolMissing("no ffmpeg"), "failed", "dependency"),
        (SourceError("no video"), "failed", "permanent"),
    ],
)
def test_a_failed_run_is_what_its_step_says(error: PipelineError, state: str, error_class: str | None) -> None:
    @dg.op
    def step() -> None:
        raise failure(error)

    @dg.job
    def work() -> None:
        step()

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        done = work.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet)
        run = instance.get_run_by_id(done.run_id)
        assert run is not None
        assert run.status == dg.DagsterRunStatus.FAILURE
        found = view(instance, run)
    assert (found.state, found.error_class) == (state, error_class)
