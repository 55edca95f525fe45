"""Terminate in the Dagster UI, of a run in each state it can be in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psutil
import pytest

from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.e2e.ui import Ui
from video_pipeline_tests.processes import encoders, processes, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def ui(operated: RunningStack) -> Ui:
    return Ui(operated.addresses["web"])


@pytest.fixture(scope="module")
def video(ui: Ui, make_clip: Callable[..., Path]) -> str:
    """One that is done, to be run again."""
    clip = make_clip("quay.mp4", seconds=1, size="160x90", cuts=False)
    ui.add_partition("quay")
    assert ui.ended(ui.launch("quay", config={"source": str(clip), "preset": "draft"})).status == "SUCCESS"
    return "quay"


@pytest.fixture
def instance_of(operated: RunningStack) -> Iterator[dg.DagsterInstance]:
    with operated.instance() as found:
        yield found


def test_a_run_that_encodes_and_one_that_waits(
    operated: RunningStack, ui: Ui, long_clip: Path, video: str, instance_of: dg.DagsterInstance
) -> None:
    ui.add_partition("stopped")
    run_id = ui.launch("stopped", config={"source": str(long_clip), "preset": "premium"})
    wait_for(lambda: encoders(processes(operated.home)), 60)
    # A second run of the same video waits for the first, whatever slots are free.
    waiting = ui.launch("stopped")
    wait_for(lambda: ui.run(waiting).status == "QUEUED", 30)
    assert ui.terminate(waiting)["__typename"] == "TerminateRunSuccess"
    assert ui.ended(waiting, 10).status == "CANCELED"
    assert encoders(processes(operated.home)), "the other one goes on"
    assert ui.terminate(run_id)["__typename"] == "TerminateRunSuccess"
    wait_for(lambda: not encoders(processes(operated.home)), 10)
    assert ui.ended(run_id, 20).status == "CANCELED"
    wait_for(lambda: not list(operated.settings.scratch.iterdir()), 10)
    assert not (operated.settings.store / "videos" / "stopped").exists()
    # No retry of Dagster's brings it back, and the worker is as before.
    assert ui.ended(ui.launch(video)).status == "SUCCESS"
    assert {run.id for run in ui.runs(video_id="stopped")} == {run_id, waiting}
    assert not instance_of.all_logs(waiting, of_type=dg.DagsterEventType.STEP_START)


def test_a_run_that_no_worker_has_begun(
    operated: RunningStack, ui: Ui, video: str, instance_of: dg.DagsterInstance
) -> None:
    with frozen_worker(operated):
        run_id = ui.launch(video)
        wait_for(lambda: ui.run(run_id).status == "STARTING", 30)
        # Dagster's rule; its UI offers to force it.
        assert "STARTING" in ui.terminate(run_id)["message"]
        assert ui.terminate(run_id, "MARK_AS_CANCELED_IMMEDIATELY")["__typename"] == "TerminateRunSuccess"
    assert ui.ended(ui.launch(video)).status == "SUCCESS"
    assert ui.run(run_id).status == "CANCELED"
    assert not instance_of.all_logs(run_id, of_type=dg.DagsterEventType.STEP_START)


def test_a_whole_backfill(
    operated: RunningStack, ui: Ui, make_clip: Callable[..., Path], video: str, instance_of: dg.DagsterInstance
) -> None:
    requests = Requests(Index(operated.settings.index_url))
    videos = [f"halted-{number}" for number in range(3)]
    for number, one in enumerate(videos):
        clip = make_clip(f"{one}.mp4", seconds=30 + number, size="960x540")
        requests.add(video_id=one, source=str(clip), preset="premium")
        ui.add_partition(one)
    backfill_id = ui.backfill(videos)
    wait_for(lambda: len(ui.runs(dagster_backfill=backfill_id)) == len(videos), 60)
    wait_for(lambda: encoders(processes(operated.home)), 60)
    ui.cancel_backfill(backfill_id)
    wait_for(lambda: not encoders(processes(operated.home)), 30)
    runs = ui.backfilled(backfill_id, "CANCELED")
    assert sorted((run.video, run.status) for run in runs) == [(one, "CANCELED") for one in videos]
    begun = [run.video for run in runs if instance_of.all_logs(run.id, of_type=dg.DagsterEventType.STEP_START)]
    assert len(begun) == 1, "of two slots it had one"
    wait_for(lambda: not list(operated.settings.scratch.iterdir()), 10)
    assert not any((operated.settings.store / "videos" / one).exists() for one in videos)
    assert ui.ended(ui.launch(video)).status == "SUCCESS"


@contextmanager
def frozen_worker(operated: RunningStack) -> Iterator[None]:
    """The worker is there, but its children begin nothing."""
    children = psutil.Process(operated.addresses["children"]["worker"]).children(recursive=True)
    for process in children:
        process.suspend()
    try:
        yield
    finally:
        for process in children:
            process.resume()
