"""What the intake makes of a run that ended, from what its executor wrote down."""

from __future__ import annotations

import sys
import uuid

import dagster as dg
import pytest
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.events import DagsterEvent
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from kombu.exceptions import OperationalError

from video_pipeline.assets.stage import failure
from video_pipeline.errors import Cancelled, Interrupted, PipelineError, SourceError, ToolMissing
from video_pipeline.execution.launcher import VideoRunLauncher
from video_pipeline.intake.runs import view
from video_pipeline.settings import Settings


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


def test_a_run_whose_broker_is_away_is_not_lost(queue_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = queue_settings.model_copy(update={"broker_url": "redis://user:hidden@127.0.0.1:1/0"})
    for name, value in deaf.environment().items():
        monkeypatch.setenv(name, value)
    origin = RepositoryPythonOrigin(sys.executable, ModuleCodePointer("video_pipeline.definitions", "defs"))
    config = {"run_launcher": {"module": "video_pipeline.execution.launcher", "class": VideoRunLauncher.__name__}}
    with dg.instance_for_test(config, temp_dir=str(queue_settings.home)) as instance:
        run = new_run(instance, JobPythonOrigin("process_video", origin))
        # As Dagster's daemon does, which goes on then; no workspace is asked for anything.
        with pytest.raises(OperationalError):
            instance.launch_run(run.run_id, None)  # type: ignore[arg-type]
        ended = instance.get_run_by_id(run.run_id)
        assert ended is not None
        found = view(instance, ended)
    assert (found.state, found.error_class, found.error_code) == ("failed", "dependency", "not-started")
    assert (
        "look at the broker and the workers: kombu.exceptions.OperationalError: Error 111 connecting to" in found.error
    )
    assert "hidden" not in found.error


def test_a_run_whose_worker_died_is_lost() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = new_run(instance)
        for kind in ("PIPELINE_STARTING", "PIPELINE_START"):
            instance.report_dagster_event(DagsterEvent(kind, job_name=run.job_name), run_id=run.run_id)
        instance.report_run_failed(run, "no heartbeat: the run's worker is gone")
        ended = instance.get_run_by_id(run.run_id)
        assert ended is not None
        assert view(instance, ended).state == "lost"


def new_run(instance: dg.DagsterInstance, origin: JobPythonOrigin | None = None) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun("process_video", str(uuid.uuid4()), job_code_origin=origin))
