"""Dagster's storage with connections that stay: the same files, read and written by Dagster's own and by sqlite3."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from video_pipeline.execution.storage import MOST_FILES, VideoInstance
from video_pipeline.settings import PROJECT

WRITE = """
import sys
import dagster as dg
with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    for number in range(int(sys.argv[3])):
        instance.add_dynamic_partitions("videos", [f"{sys.argv[2]}-{number}"])
"""
FORK = """
import os, sys
import dagster as dg
with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    instance.add_dynamic_partitions("videos", ["parent"])
    child = os.fork()
    if child == 0:
        try:
            instance.add_dynamic_partitions("videos", ["child"])
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    instance.add_dynamic_partitions("videos", ["parent again"])
    assert instance.get_dynamic_partitions("videos") == ["parent", "child", "parent again"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Dagster home with the project's dagster.yaml."""
    found = tmp_path / "dagster"
    found.mkdir()
    shutil.copy(PROJECT / "dagster.yaml", found)
    return found


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home)) as found:
        yield found


@pytest.fixture
def stock(home: Path, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster's own storage on the same files."""
    other = tmp_path / "stock"
    other.mkdir()
    (other / "dagster.yaml").write_text(f"telemetry: {{enabled: false}}\nstorage: {{sqlite: {{base_dir: {home}}}}}\n")
    with dg.DagsterInstance.from_config(str(other)) as found:
        assert "video_pipeline" not in type(found.event_log_storage).__module__
        yield found


@dg.asset
def something() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"number": 7})


def make(instance: dg.DagsterInstance) -> str:
    result = dg.materialize([something], instance=instance)
    assert result.success
    return result.run_id


def keys_in(home: Path) -> list[str]:
    connection = sqlite3.connect(home / "history" / "runs" / "index.db")
    try:
        return [key for (key,) in connection.execute("SELECT partition FROM dynamic_partitions ORDER BY id")]
    finally:
        connection.close()


def open_databases(home: Path) -> list[str]:
    links = []
    for number in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:
            continue  # the one of the listing
    return [link for link in links if link.startswith(str(home)) and link.endswith(".db")]


def test_the_project_uses_it(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance, VideoInstance)
    for storage in (instance.event_log_storage, instance.run_storage, instance.schedule_storage):
        assert type(storage).__module__ == "video_pipeline.execution.storage"


def test_a_storage_that_is_named_is_used_instead(home: Path, tmp_path: Path) -> None:
    with (home / "dagster.yaml").open("a") as file:
        file.write(f"\nstorage: {{sqlite: {{base_dir: {tmp_path / 'elsewhere'}}}}}\n")
    with dg.DagsterInstance.from_config(str(home)) as found:
        make(found)
        assert "video_pipeline" not in type(found.run_storage).__module__
    assert (tmp_path / "elsewhere" / "history" / "runs.db").exists()
    assert not (home / "history").exists()


def test_dagsters_own_reads_what_was_written_and_the_other_way_round(
    instance: dg.DagsterInstance, stock: dg.DagsterInstance
) -> None:
    for writer, reader in ((instance, stock), (stock, instance)):
        run_id = make(writer)
        run = reader.get_run_by_id(run_id)
        assert run is not None
        assert run.status == dg.DagsterRunStatus.SUCCESS
        event = reader.get_latest_materialization_event(something.key)
        assert event is not None
        assert event.run_id == run_id
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["number"].value == 7
        assert [e.message for e in reader.all_logs(run_id)] == [e.message for e in writer.all_logs(run_id)]
    assert instance.get_runs_count() == stock.get_runs_count() == 2


def test_connections_stay_and_are_not_many(instance: dg.DagsterInstance, home: Path) -> None:
    runs = [make(instance) for _ in range(MOST_FILES + 5)]
    opened = open_databases(home)
    assert {Path(name).name for name in opened} >= {"index.db", "runs.db", f"{runs[-1]}.db"}
    assert f"{home}/history/runs/{runs[0]}.db" not in opened
    assert len(opened) <= 2 * MOST_FILES
    # What was closed is opened again.
    assert instance.all_logs(runs[0])[-1].dagster_event_type == dg.DagsterEventType.PIPELINE_SUCCESS


def test_a_home_that_was_deleted_and_made_anew_is_another(home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as before:
        before.add_dynamic_partitions("videos", ["old"])
    shutil.rmtree(home)
    home.mkdir()
    shutil.copy(PROJECT / "dagster.yaml", home)
    with dg.DagsterInstance.from_config(str(home)) as after:
        assert after.get_dynamic_partitions("videos") == []
        after.add_dynamic_partitions("videos", ["new"])
    assert keys_in(home) == ["new"]


def test_a_fork_uses_connections_of_its_own(home: Path) -> None:
    """As Celery's children, whose worker may have opened it before."""
    subprocess.run([sys.executable, "-c", FORK, str(home)], check=True, stdin=subprocess.DEVNULL, timeout=60)
    assert keys_in(home) == ["parent", "child", "parent again"]


def test_threads_and_processes_that_write_at_once_lose_nothing(instance: dg.DagsterInstance, home: Path) -> None:
    count, name = 25, uuid.uuid4().hex
    argv = [sys.executable, "-c", WRITE, str(home)]
    processes = [subprocess.Popen([*argv, f"process-{n}", str(count)], stdin=subprocess.DEVNULL) for n in range(2)]

    def write(n: int) -> None:
        for number in range(count):
            instance.add_dynamic_partitions("videos", [f"{name}-{n}-{number}"])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(60) for process in processes] == [0, 0]
    written = {f"process-{n}-{number}" for n in range(2) for number in range(count)}
    written |= {f"{name}-{n}-{number}" for n in range(3) for number in range(count)}
    assert set(keys_in(home)) == written
    assert set(instance.get_dynamic_partitions("videos")) == written
