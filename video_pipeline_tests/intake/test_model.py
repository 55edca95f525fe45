"""The reconciler under any interleaving of ticks that die anywhere, workers that die, producers, operators and thieves.

Whatever happened: once nothing dies any more, every job ends exactly once, no request is published twice, and no slot,
claim or run is left over.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, ClassVar

import pytest
from dagster import DagsterRun, DagsterRunStatus, RunsFilter
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from video_pipeline.errors import (
    CheckFailed,
    ConflictError,
    DiskFull,
    Interrupted,
    PipelineError,
    SourceError,
    StalledError,
)
from video_pipeline.execution.tags import JOB_TAG
from video_pipeline.intake import backoff
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
from video_pipeline_tests.intake.world import SLOTS, World, new_world

ROUNDS = 60
"""More than enough to end all jobs once nothing dies."""
ERRORS: tuple[PipelineError, ...] = (
    SourceError("no video"),
    CheckFailed("wrong"),
    StalledError("stuck"),
    DiskFull("full"),
    Interrupted("told to end"),
)
CANCELLED = [DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED]
indexes = st.integers(0, 10**6)


class Machine(RuleBasedStateMachine):
    make: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self.world: World = self.make()
        self.jobs: list[str] = []
        self.lives: dict[str, int] = {}
        self.hopeless: set[str] = set()
        """Jobs whose data cannot be used, that shall be cancelled or were removed."""
        self.removed: set[str] = set()
        self.stopped: set[str] = set()
        """Runs that somebody terminated from the Dagster UI."""

    @initialize(titles=st.lists(st.sampled_from("xy"), min_size=3, max_size=3))
    def some_jobs(self, titles: list[str]) -> None:
        for video, title in zip("aab", titles, strict=True):
            self.submit(video, title, 0, 2)

    def _job(self, index: int) -> str:
        return self.jobs[index % len(self.jobs)]

    def _working(self, index: int) -> DagsterRun | None:
        runs = sorted(self.world.working(), key=lambda run: run.run_id)
        return runs[index % len(runs)] if runs else None

    # --- producers and operators

    @rule(
        video=st.sampled_from("ab"),
        title=st.sampled_from("xy"),
        priority=st.sampled_from((0, 3, 20)),
        attempts=st.integers(1, 3),
    )
    def submit(self, video: str, title: str, priority: int, attempts: int) -> None:
        data = {"schemaVersion": 1, "source": "/a.mp4", "videoId": video, "title": title}
        self._add(data, priority, attempts)

    def _add(self, data: Any, priority: int, attempts: int) -> None:
        job_id = self.world.bull.add(data, priority=priority, attempts=attempts, job_id=f"j{len(self.jobs)}")
        self.jobs.append(job_id)
        self.lives[job_id] = 1

    @rule(data=st.sampled_from(["nonsense", {"source": "relative.mp4"}]))
    def submit_nonsense(self, data: Any) -> None:
        self._add(data, 0, 3)
        self.hopeless.add(self.jobs[-1])

    @rule(index=indexes, what=st.sampled_from(("again", "retry", "cancel", "cancel over the queue", "remove")))
    def meddle(self, index: int, what: str) -> None:
        job_id = self._job(index)
        if what == "again" and job_id not in self.removed:
            self.world.bull.add({"source": "/b.mp4"}, job_id=job_id)
        elif what == "retry" and self.world.bull.state(job_id) == "failed":
            job = self.world.bull.job(job_id)
            assert job is not None
            self.world.bull.loop.run(job.retry("failed"))
            self.lives[job_id] += 1
        elif what.startswith("cancel"):
            self.hopeless.add(job_id)
            if what == "cancel":
                self.world.bull.ledger.cancel(job_id)
            else:
                self.world.add_control("cancel", {"jobId": job_id})
        elif what == "remove":
            # By force, as obliterating the queue does, whatever state it is in.
            self.world.remove(job_id)
            self.removed.add(job_id)
            self.hopeless.add(job_id)

    @rule()
    def time_passes(self) -> None:
        self.world.promote()

    # --- the reconciler and Dagster's daemon

    @rule(index=indexes, status=st.sampled_from((*[DagsterRunStatus.QUEUED] * 3, DagsterRunStatus.NOT_STARTED)))
    def tick(self, index: int, status: DagsterRunStatus) -> None:
        """A daemon that dies after it leaves runs that are only written down."""
        for wanted in self.world.tick():
            self.world.create(wanted, status)
        for run in self.world.startable()[: 1 + index % SLOTS]:
            if run in self.world.startable():
                self.world.start(run)

    @rule(index=indexes)
    def tick_once_more(self, index: int) -> None:
        """Twice the rule, twice as often."""
        self.tick(index, DagsterRunStatus.QUEUED)

    @rule(index=indexes)
    def launch_that_fails(self, index: int) -> None:
        """The broker is away, or no worker takes it in time."""
        runs = sorted(self.world.startable(), key=lambda run: run.run_id)
        if runs:
            run = runs[index % len(runs)]
            self.world.event(run, "PIPELINE_STARTING")
            self.world.event(run, "PIPELINE_FAILURE")

    @rule(effects=st.integers(0, 60))
    def tick_that_dies(self, effects: int) -> None:
        self.world.tick(dies_after=effects)

    @rule(effect=st.integers(1, 12))
    def tick_that_loses_its_lease(self, effect: int) -> None:
        """To a second daemon that was started by mistake."""
        with contextlib.suppress(ConflictError):
            self.world.tick(robbed_at=effect)
        thief = self.world.bull.ledger.lease("thief:2") is not None
        if thief:
            assert self.world.tick() == [], "the first does nothing any more"
            self.world.bull.redis.delete(self.world.bull.ledger.keys.lease)

    # --- workers

    @rule(
        index=indexes, what=st.sampled_from(("publish", "publish", "publish and die", "a part", "die", "end", *ERRORS))
    )
    def work(self, index: int, what: str | PipelineError) -> None:
        run, world = self._working(index), self.world
        if run is None:
            return
        if what in ("publish", "publish and die"):
            world.publish(run)
            world.end(run, "PIPELINE_SUCCESS" if what == "publish" else "PIPELINE_FAILURE")
        elif what == "a part":
            world.end(run, "PIPELINE_SUCCESS")
        elif isinstance(what, PipelineError):
            world.end(run, "PIPELINE_FAILURE", what)
        elif what == "end":
            # As cancelled: it obeys us, or somebody in the Dagster UI.
            if run.status != DagsterRunStatus.CANCELING:
                self.stopped.add(run.run_id)
            world.end(run, "PIPELINE_CANCELED")
        elif run.status == DagsterRunStatus.CANCELING:
            world.plain.delete(world.bull.ledger.keys.alive(run.run_id))
        else:
            world.end(run, "PIPELINE_FAILURE")

    # --- the queue server

    @rule(index=indexes, stalled=st.booleans())
    def lock_runs_out(self, index: int, stalled: bool) -> None:
        """A stock consumer puts such a job at the head of the queue."""
        job_id, key = self._job(index), self.world.bull.key
        self.world.plain.delete(key(job_id, "lock"))
        if stalled and self.world.plain.lrem(key("active"), 1, job_id):
            self.world.plain.rpush(key("wait"), job_id)

    # --- what always holds

    @invariant()
    def no_more_runs_than_slots(self) -> None:
        assert len(self.world.working()) <= SLOTS

    @invariant()
    def nothing_ends_twice(self) -> None:
        for job_id, lives in self.lives.items():
            assert len(self.world.endings(job_id)) <= lives

    @invariant()
    def nothing_is_published_twice(self) -> None:
        assert len(self.world.published) == len(set(self.world.published))

    @invariant()
    def no_work_is_thrown_away(self) -> None:
        """Runs end as cancelled only where somebody wanted it."""
        for run in self.world.instance.get_runs(RunsFilter(statuses=CANCELLED)):
            assert run.run_id in self.stopped or run.tags[JOB_TAG] in self.hopeless

    # --- and in the end

    def teardown(self) -> None:
        try:
            self._settle()
        finally:
            self.world.close()

    def _settle(self) -> None:
        world = self.world
        waiting = [job for job in self.jobs if world.bull.state(job) in ("waiting", "prioritized", "delayed")]
        for number in range(ROUNDS):
            for wanted in world.tick():
                world.create(wanted, DagsterRunStatus.QUEUED)
            if number == 0:
                self._one_tick_is_enough()
            for run in world.startable()[:SLOTS]:
                if run in world.startable():
                    world.start(run)
            self._healthy_workers()
            world.promote()
            if self._settled():
                break
        assert self._settled(), "something is stuck"
        for job_id in set(self.jobs) - self.removed:
            assert world.bull.state(job_id) in ("completed", "failed")
            assert len(world.endings(job_id)) == self.lives[job_id]
        for job_id in set(waiting) - self.hopeless:
            assert world.bull.state(job_id) == "completed", "nothing kept it from it"
        self.nothing_is_published_twice()
        self.no_work_is_thrown_away()

    def _one_tick_is_enough(self) -> None:
        """To stop what shall be stopped and to cancel what waits."""
        world = self.world
        claims = world.bull.ledger.claims()
        for run in world.unfinished():
            job_id = run.tags[JOB_TAG]
            assert run.status == DagsterRunStatus.CANCELING or job_id in claims or world.bull.state(job_id) == "waiting"
        for job_id in world.bull.ledger.cancels():
            assert world.bull.state(job_id) == "active"

    def _healthy_workers(self) -> None:
        world = self.world
        for run in world.working():
            if run.status != DagsterRunStatus.CANCELING:
                world.publish(run)
                world.end(run, "PIPELINE_SUCCESS")
            elif world.plain.exists(world.bull.ledger.keys.alive(run.run_id)):
                world.end(run, "PIPELINE_CANCELED")
            # One that died while it was stopped is for the reconciler to find.

    def _settled(self) -> bool:
        bull = self.world.bull
        open_jobs = [job for job in self.jobs if bull.state(job) not in ("completed", "failed", "unknown")]
        control = [self.world.plain.llen(bull.control_key(name)) for name in ("wait", "active")]
        ledger = bull.ledger
        return not (open_jobs or any(control) or ledger.claims() or ledger.cancels() or self.world.unfinished())


@pytest.fixture
def machine(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Machine]:
    # Time passes by a rule only, else examples could not be repeated.
    monkeypatch.setattr(backoff, "POSTPONE_FIRST", 3600.0)
    monkeypatch.setattr(backoff, "POSTPONE_MOST", 3600.0)
    monkeypatch.setattr(backoff, "DEFAULT", {"type": "fixed", "delay": 3_600_000})
    (tmp_path / "home").mkdir()
    index = Index(f"sqlite:///{tmp_path / 'home' / 'index.db'}")
    index.upgrade()

    def make() -> World:
        return new_world(redis_url, tmp_path / "home", Requests(index), monkeypatch)

    return type("ThisMachine", (Machine,), {"make": staticmethod(make)})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of commands that death forestalled
def test_whatever_happens(machine: type[Machine], request: pytest.FixtureRequest) -> None:
    examples, steps = request.config.getoption("--model-examples"), 40
    run_state_machine_as_test(
        machine,
        # Shrinking would take longer than any test may; the steps that failed are printed as they were.
        settings=hypothesis_settings(max_examples=examples, stateful_step_count=steps, phases=[Phase.generate]),
    )
