"""How long one look of the reconciler takes, with a long backlog and with many jobs held."""

from __future__ import annotations

import statistics
import tempfile
import time
import uuid
from pathlib import Path

import click
import dagster as dg
from dagster import DagsterRun, DagsterRunStatus

from video_pipeline import settings
from video_pipeline.execution.slots import Announcement
from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import Bull
from video_pipeline.intake.control import Control
from video_pipeline.intake.reconcile import Reconciler
from video_pipeline.intake.wanted import Wanted
from video_pipeline.services import children
from video_pipeline.services import redis as redis_server
from video_pipeline.services.ports import free_port
from video_pipeline.settings import Settings
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests

LOOKS = 30


class Idle:
    """A reconciler with a queue server, an index and Dagster's storage in SQLite, and nobody who executes anything."""

    def __init__(self, ours: Settings, instance: dg.DagsterInstance) -> None:
        self.ours, self.instance = ours, instance
        self.bull = Bull(ours)
        self.active, self.control = Active(self.bull), Control(self.bull)
        index = Index(ours.index_url)
        index.upgrade()
        self.requests = Requests(index)

    def announce(self, slots: int) -> None:
        """As many slots as that, for an hour."""
        announced = Announcement(self.ours.model_copy(update={"worker_slots": slots}))
        self.bull.redis.delete(self.bull.ledger.keys.workers)
        self.bull.redis.zadd(self.bull.ledger.keys.workers, {announced._member: time.time() + 3600})

    def work(self) -> list[Wanted]:
        return Reconciler(self.active, self.control, self.requests, self.instance).work()[0]

    def start_all(self, wanted: list[Wanted]) -> None:
        for one in wanted:
            self.instance.add_run(
                DagsterRun("process_video", str(uuid.uuid4()), tags=one.tags, status=DagsterRunStatus.STARTED)
            )

    def submit(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            data = {"schemaVersion": 1, "source": f"/videos/{number}.mp4", "videoId": f"v{number}"}
            self.bull.add(data, priority=number % 5)

    def print_looks(self, title: str) -> None:
        seconds = []
        for _ in range(LOOKS):
            before = time.perf_counter()
            assert self.work() == []
            seconds.append(time.perf_counter() - before)
        print(f"    {title:38} {statistics.median(seconds) * 1000:7.1f} ms median {max(seconds) * 1000:7.1f} ms worst")


@click.command()
@click.option("--waiting", default=10_000, show_default=True)
@click.option("--held", default=200, show_default=True)
def main(waiting: int, held: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        (home / "dagster").mkdir()
        port = free_port("127.0.0.1", 16_999, set())
        ours = settings.load(home=home, redis_url=f"redis://127.0.0.1:{port}/0", min_free_gb=0.0)
        argv = redis_server.command(redis_server.find_server(ours), home, ours.host, port)
        server = children.start("queue", argv, environment=ours.environment(), logs=home, cwd=home)
        try:
            children.wait_until(server, lambda: redis_server.answers(ours), 20)
            with dg.DagsterInstance.local_temp(str(home / "dagster")) as instance:
                print(f"one look of the reconciler, {LOOKS} times each; the target is 200 ms")
                _measure(Idle(ours, instance), waiting, held)
        finally:
            children.stop([server])


def _measure(idle: Idle, waiting: int, held: int) -> None:
    idle.announce(2)
    idle.print_looks("nothing to do")
    idle.submit(0, 2)
    idle.start_all(idle.work())
    idle.submit(2, waiting)
    idle.print_looks(f"{waiting} waiting, 2 held")
    idle.announce(held)
    before = time.perf_counter()
    wanted = idle.work()
    print(f"    {f'taking {len(wanted)} jobs':38} {(time.perf_counter() - before) * 1000:7.1f} ms")
    idle.start_all(wanted)
    idle.print_looks(f"{waiting - held + 2} waiting, {held} held")


if __name__ == "__main__":
    main()
