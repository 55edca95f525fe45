"""The reconciler under any interleaving of ticks that die anywhere, workers that die, producers, operators and thieves.

Whatever happened: once nothing dies any more, every job ends exactly once, no request is published twice, and no slot,
claim or run is left over.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import pytest
from dagster import DagsterRun, DagsterRunStatus
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from video_pipeline.errors import (
    CheckFailed,
    ConflictError,
    DiskFull,
    Interrupted,
    PipelineError,
    SourceError,
    StalledError,
)
from video_pipeline.intake import backoff, reconcile
from video_pipeline.settings import Settings
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
from video_pipeline_tests.intake.world import SLOTS, World

ROUNDS = 60
"""More than enough to end all jobs once nothing dies."""
ERRORS: tuple[PipelineError, ...] = (
    SourceError("no video"),
    CheckFailed("wrong"),
    StalledError("stuck"),
    DiskFull("full"),
    Interrupted("told to end"),
)
indexes = st.integers(0, 10**6)


class Machine(RuleBasedStateMachine):
    make: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self.world: World = self.make()
        self.jobs: list[str] = []
        self.removed: set[str] = set()
        self.lives: dict[str, int] = {}
        self.asked: list[Any] = []

    def _job(self, index: int) -> str:
        return self.jobs[index % len(self.jobs)]

    def _working(self, index: int) -> DagsterRun | None:
        runs = sorted(self.world.working(), key=lambda run: run.run_id)
        return runs[index % len(runs)] if runs else None

    # --- producers

    @rule(
        video=st.sampled_from("ab"),
        title=st.sampled_from("xy"),
        priority=st.sampled_from((0, 3, 20)),
        attempts=st.integers(1, 3),
    )
    def submit(self, video: str, title: str, priority: int, attempts: int) -> None:
        data = {"schemaVersion": 1, "source": "/a.mp4", "videoId": video, "title": title}
        job_id = self.world.bull.add(data, priority=priority, attempts=attempts, job_id=f"j{len(self.jobs)}")
        self.jobs.append(job_id)
        self.lives[job_id] = 1

    @rule(data=st.sampled_from(["nonsense", {"source": "relative.mp4"}]))
    def submit_nonsense(self, data: Any) -> None:
        self.jobs.append(self.world.bull.add(data, attempts=3, job_id=f"j{len(self.jobs)}"))
        self.lives[self.jobs[-1]] = 1

    @precondition(lambda self: self.jobs)
    @rule(index=indexes)
    def submit_again(self, index: int) -> None:
        """Under an id that is known."""
        job_id = self._job(index)
        if job_id not in self.removed:
            self.world.bull.add({"source": "/b.mp4"}, job_id=job_id)

    @precondition(lambda self: self.jobs)
    @rule(index=indexes)
    def retry_failed(self, index: int) -> None:
        """As a dashboard does."""
        job_id = self._job(index)
        if self.world.bull.state(job_id) == "failed":
            job = self.world.bull.job(job_id)
            assert job is not None
            self.world.bull.loop.run(job.retry("failed"))
            self.lives[job_id] += 1

    @precondition(lambda self: self.jobs)
    @rule(index=indexes, way=st.sampled_from(("cli", "control")))
    def cancel(self, index: int, way: str) -> None:
        job_id = self._job(index)
        if way == "cli":
            self.world.bull.ledger.cancel(job_id)
        else:
            self.world.add_control("cancel", {"jobId": job_id})

    @precondition(lambda self: self.jobs)
    @rule(index=indexes)
    def remove(self, index: int) -> None:
        """By force, as obliterating the queue does, whatever state it is in."""
        job_id = self._job(index)
        self.world.remove(job_id)
        self.removed.add(job_id)

    @rule()
    def time_passes(self) -> None:
        self.world.promote()

    # --- the reconciler

    @rule()
    def tick(self) -> None:
        self.asked = self.world.tick()

    @rule(effects=st.integers(0, 40))
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

    # --- Dagster's daemon

    @precondition(lambda self: self.asked)
    @rule(status=st.sampled_from((DagsterRunStatus.QUEUED, DagsterRunStatus.NOT_STARTED)))
    def create(self, status: DagsterRunStatus) -> None:
        """What the last tick asked for; a daemon that dies here leaves a run that is only written down."""
        for wanted in self.asked:
            self.world.create(wanted, status)
        self.asked = []

    @rule(index=indexes)
    def start(self, index: int) -> None:
        runs = self.world.startable()
        if runs:
            self.world.start(runs[index % len(runs)])

    # --- workers

    @rule(index=indexes)
    def succeed(self, index: int) -> None:
        run = self._working(index)
        if run:
            self.world.publish(run)
            self.world.end(run, "PIPELINE_SUCCESS")

    @rule(index=indexes)
    def publish_and_die(self, index: int) -> None:
        run = self._working(index)
        if run:
            self.world.publish(run)
            self.world.end(run, "PIPELINE_FAILURE")

    @rule(index=indexes)
    def make_a_part_only(self, index: int) -> None:
        run = self._working(index)
        if run:
            self.world.end(run, "PIPELINE_SUCCESS")

    @rule(index=indexes, error=st.sampled_from(ERRORS))
    def fail(self, index: int, error: PipelineError) -> None:
        run = self._working(index)
        if run:
            self.world.end(run, "PIPELINE_FAILURE", error)

    @rule(index=indexes)
    def worker_dies(self, index: int) -> None:
        run = self._working(index)
        if run and run.status == DagsterRunStatus.CANCELING:
            self.world.plain.delete(self.world.bull.ledger.keys.alive(run.run_id))
        elif run:
            self.world.end(run, "PIPELINE_FAILURE")

    @rule(index=indexes)
    def obey_or_be_terminated(self, index: int) -> None:
        """Its end as cancelled, by us or from the Dagster UI."""
        run = self._working(index)
        if run:
            self.world.end(run, "PIPELINE_CANCELED")

    # --- the queue server

    @precondition(lambda self: self.jobs)
    @rule(index=indexes)
    def lock_runs_out(self, index: int) -> None:
        self.world.plain.delete(self.world.bull.key(self._job(index), "lock"))

    @precondition(lambda self: self.jobs)
    @rule(index=indexes)
    def somebody_checks_for_stalled_jobs(self, index: int) -> None:
        """Stock consumers put a job whose lock is gone at the head of the queue."""
        job_id, key = self._job(index), self.world.bull.key
        if self.world.plain.lrem(key("active"), 1, job_id):
            self.world.plain.delete(key(job_id, "lock"))
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

    def teardown(self) -> None:
        try:
            self._settle()
        finally:
            self.world.close()

    def _settle(self) -> None:
        world = self.world
        for _ in range(ROUNDS):
            for wanted in world.tick():
                world.create(wanted, DagsterRunStatus.QUEUED)
            for run in world.startable()[:SLOTS]:
                if run in world.startable():
                    world.start(run)
            for run in world.working():
                if run.status == DagsterRunStatus.CANCELING:
                    world.end(run, "PIPELINE_CANCELED")
                else:
                    world.publish(run)
                    world.end(run, "PIPELINE_SUCCESS")
            world.promote()
            if self._settled():
                break
        for job_id in set(self.jobs) - self.removed:
            assert world.bull.state(job_id) in ("completed", "failed")
            assert len(world.endings(job_id)) == self.lives[job_id]
        assert world.bull.ledger.claims() == {}
        assert world.bull.ledger.cancels() == set()
        assert world.unfinished() == []
        self.nothing_is_published_twice()

    def _settled(self) -> bool:
        open_jobs = [job for job in self.jobs if self.world.bull.state(job) not in ("completed", "failed", "unknown")]
        ledger = self.world.bull.ledger
        return not (open_jobs or ledger.claims() or ledger.cancels() or self.world.unfinished())


@pytest.fixture
def machine(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Machine]]:
    # Time passes by a rule only, else examples could not be repeated.
    monkeypatch.setattr(reconcile, "LATER_SECONDS", 3600.0)
    monkeypatch.setattr(backoff, "POSTPONE_FIRST", 3600.0)
    monkeypatch.setattr(backoff, "POSTPONE_MOST", 3600.0)
    monkeypatch.setattr(backoff, "DEFAULT", {"type": "fixed", "delay": 3_600_000})
    instance = dg.DagsterInstance.ephemeral()
    (tmp_path / "home").mkdir()
    index = Index(f"sqlite:///{tmp_path / 'home' / 'index.db'}")
    index.upgrade()

    def make() -> World:
        name = uuid.uuid4().hex[:8]
        ours = Settings(
            home=tmp_path / "home" / name,
            redis_url=redis_url,
            queue=f"q-{name}",
            key_prefix=f"{{k-{name}}}",
            min_free_gb=0.0,
        )
        for variable, value in ours.environment().items():
            monkeypatch.setenv(variable, value)
        return World(ours, instance, Requests(index))

    yield type("ThisMachine", (Machine,), {"make": staticmethod(make)})
    instance.dispose()


def test_whatever_happens(machine: type[Machine], request: pytest.FixtureRequest) -> None:
    examples, steps = request.config.getoption("--model-examples"), 40
    run_state_machine_as_test(
        machine,
        # Shrinking would take longer than any test may; the steps that failed are printed as they were.
        settings=hypothesis_settings(max_examples=examples, stateful_step_count=steps, phases=[Phase.generate]),
    )
