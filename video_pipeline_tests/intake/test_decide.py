"""Every combination the reconciler can meet: the table of outcomes, and what must hold in all of them."""

from __future__ import annotations

import itertools
from typing import Literal

import pytest

from video_pipeline.intake.decide import (
    Action,
    Complete,
    Fail,
    HeldView,
    Launch,
    LaunchAnew,
    RunView,
    Terminate,
    decide,
)

State = Literal["live", "cancelled", "failed", "lost", "succeeded"]
STATES: tuple[State | None, ...] = (None, "live", "cancelled", "failed", "lost", "succeeded")
CLASSES = ("", "transient", "permanent", "dependency")
EVERY = [
    HeldView("7", run=state and RunView("r", state, error_class, "why"), published=published, lost=lost, cancel=cancel)
    for state, error_class, published, lost, cancel in itertools.product(
        STATES, CLASSES, (None, "rel"), (0, 1), (False, True)
    )
    if bool(error_class) == (state == "failed")
]


def action(job: HeldView) -> Action | None:
    found = decide([job])
    assert len(found) <= 1
    return found[0] if found else None


def view(
    state: State | None,
    error_class: str = "",
    *,
    published: str | None = None,
    lost: int = 0,
    cancel: bool = False,
) -> HeldView:
    run = RunView("r", state, error_class, "why") if state else None
    return HeldView("7", run=run, published=published, lost=lost, cancel=cancel)


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (view(None), Launch("7")),
        (view("live"), None),
        (view("live", published="rel"), None),
        (view("live", cancel=True), Terminate("7", "r")),
        (view("succeeded", published="rel"), Complete("7", "rel")),
        # Red after the pointer and the rows were written: the video is published.
        (view("failed", "transient", published="rel"), Complete("7", "rel")),
        (view("lost", published="rel"), Complete("7", "rel")),
        # Cancelled too late.
        (view("cancelled", published="rel", cancel=True), Complete("7", "rel")),
        (view("cancelled", cancel=True), Fail("7", "cancelled", final=True)),
        # From the Dagster UI, without a request of ours.
        (view("cancelled"), Fail("7", "cancelled", final=True)),
        (view(None, cancel=True), Fail("7", "cancelled", final=True)),
        (view("failed", "permanent"), Fail("7", "permanent: why", final=True)),
        (view("failed", "transient"), Fail("7", "transient: why", final=False)),
        (view("failed", "dependency"), Fail("7", "dependency: why", final=False)),
        # The worker was lost: not the video's fault, the first time.
        (view("lost"), LaunchAnew("7")),
    ],
)
def test_table(job: HeldView, expected: Action | None) -> None:
    assert action(job) == expected


def test_a_job_that_loses_two_workers_counts_as_a_failed_attempt() -> None:
    found = action(view("lost", lost=1))
    assert isinstance(found, Fail)
    assert not found.final


@pytest.mark.parametrize("job", EVERY, ids=str)
def test_what_always_holds(job: HeldView) -> None:
    found = action(job)
    if job.run is not None and job.run.state == "live":
        # Never two runs of one video, never an end while one writes.
        assert found is None or isinstance(found, Terminate)
    else:
        assert found is not None, "a job without a live run would be stuck"
        assert not isinstance(found, Terminate)
    if isinstance(found, Complete):
        assert found.release_id == job.published
    if job.published is not None:
        assert not isinstance(found, Fail | Launch | LaunchAnew)
    if isinstance(found, Fail) and found.final:
        assert job.cancel or (job.run and (job.run.state == "cancelled" or job.run.error_class == "permanent"))


def test_each_job_by_itself() -> None:
    jobs = [HeldView(str(n), run=None, published=None, lost=0, cancel=n % 2 == 1) for n in range(4)]
    assert [type(found) for found in decide(jobs)] == [Launch, Fail, Launch, Fail]
