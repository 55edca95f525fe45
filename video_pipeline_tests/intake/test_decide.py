"""Every combination the reconciler can meet: the table of outcomes, and what must hold in all of them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Literal, get_args

import pytest

from video_pipeline.errors import ErrorClass
from video_pipeline.intake.decide import (
    Action,
    Complete,
    Fail,
    HeldView,
    Launch,
    LaunchAnew,
    Postpone,
    RunView,
    Terminate,
    decide,
)

State = Literal["requested", "live", "cancelled", "failed", "lost", "stopped", "succeeded"]
STATES: tuple[State | None, ...] = (None, *get_args(State))
CLASSES: tuple[ErrorClass | None, ...] = (None, "transient", "permanent", "dependency")
EVERY = [
    HeldView(
        "7",
        "v",
        1,
        run=state and RunView("r", state, error_class, "c", "why"),
        published=published,
        lost=lost,
        cancel=cancel,
    )
    for state, error_class, published, lost, cancel in itertools.product(
        STATES, CLASSES, (None, "rel"), (0, 1), (False, True)
    )
    if bool(error_class) == (state == "failed")
]


CANCELLED = Fail("7", "cancelled", "cancelled", "cancelled", final=True, run_id="r")


def action(job: HeldView) -> Action | None:
    found = decide([job])
    assert len(found) <= 1
    return found[0] if found else None


def view(
    state: State | None,
    error_class: ErrorClass | None = None,
    *,
    published: str | None = None,
    lost: int = 0,
    cancel: bool = False,
) -> HeldView:
    run = RunView("r", state, error_class, "c", "why") if state else None
    return HeldView("7", "v", 1, run=run, published=published, lost=lost, cancel=cancel)


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
        (view("cancelled", cancel=True), CANCELLED),
        # From the Dagster UI, without a request of ours.
        (view("cancelled"), CANCELLED),
        (view(None, cancel=True), Fail("7", "cancelled", "cancelled", "cancelled", final=True)),
        # Dagster has its row and may not have queued it.
        (view("requested"), Launch("7")),
        (view("requested", cancel=True), Terminate("7", "r")),
        (view("failed", "permanent"), Fail("7", "permanent", "c", "why", final=True, run_id="r")),
        (view("failed", "transient"), Fail("7", "transient", "c", "why", final=False, run_id="r")),
        # Not the video's fault, so no attempt of it.
        (view("failed", "dependency"), Postpone("7", "dependency", "c", "why", run_id="r")),
        # The worker was told to end, as often as that may be.
        (view("stopped"), LaunchAnew("7", lost=0)),
        (view("stopped", lost=1), LaunchAnew("7", lost=1)),
        # The worker was lost: not the video's fault, the first time.
        (view("lost"), LaunchAnew("7", lost=1)),
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
    elif job.run is not None and job.run.state == "requested":
        assert isinstance(found, Launch | Terminate)
    else:
        assert found is not None, "a job without a live run would be stuck"
        assert not isinstance(found, Terminate)
    if isinstance(found, Complete):
        assert found.release_id == job.published
    if job.published is not None and (job.run is None or job.run.state != "requested"):
        assert not isinstance(found, Fail | Launch | LaunchAnew | Postpone)
    if isinstance(found, Fail) and found.final:
        assert job.cancel or (job.run and (job.run.state == "cancelled" or job.run.error_class == "permanent"))


def test_each_video_by_itself() -> None:
    jobs = [HeldView(str(n), f"v{n}", n, run=None, published=None, lost=0, cancel=n % 2 == 1) for n in range(4)]
    assert [type(found) for found in decide(jobs)] == [Launch, Fail, Launch, Fail]


def of_one_video(*views: HeldView) -> list[HeldView]:
    """In this order of claims, handed over backwards."""
    return [replace(one, job_id=str(n), order=n) for n, one in enumerate(views)][::-1]


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        # One runs: the others wait for it.
        ([view("live"), view(None), view(None, published="rel")], []),
        ([view(None), view(None)], [Launch("0")]),
        # What it published answers whoever wanted the same; the next goes on at once.
        (
            [view("succeeded", published="rel"), view(None, published="rel"), view(None)],
            [Complete("0", "rel"), Complete("1", "rel"), Launch("2")],
        ),
        ([view("lost"), view(None)], [LaunchAnew("0", lost=1)]),
        # Its failure is not theirs.
        (
            [view("failed", "permanent"), view(None)],
            [Fail("0", "permanent", "c", "why", final=True, run_id="r"), Launch("1")],
        ),
        # A waiting one can be cancelled, and leaves the others where they are.
        (
            [view("live"), view(None, cancel=True), view(None)],
            [Fail("1", "cancelled", "cancelled", "cancelled", final=True)],
        ),
        ([view("live", cancel=True), view(None)], [Terminate("0", "r")]),
    ],
)
def test_jobs_of_one_video_take_turns(jobs: list[HeldView], expected: list[Action]) -> None:
    assert sorted(decide(of_one_video(*jobs)), key=lambda found: found.job_id) == expected
