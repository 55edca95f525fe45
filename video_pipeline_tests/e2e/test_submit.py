"""A job through queue, sensor, Celery worker and graph, and every place where its outcome can be seen."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import dagster as dg
import psutil
import pytest

from video_pipeline.connection.address import redis_address
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.tags import JOB_TAG
from video_pipeline.intake.bull import bull
from video_pipeline.media.quality import CHECKS
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.processes import processes, wait_for

pytestmark = pytest.mark.e2e
VIDEO = "harbour"


@pytest.fixture(scope="module")
def outcome(stack: RunningStack, clip: Path) -> dict[str, str]:
    """What `submit --wait` printed."""
    arguments: list[str | Path] = [
        "submit",
        clip,
        "--video-id",
        VIDEO,
        "--preset",
        "draft",
        "--title",
        "Harbour at dawn",
    ]
    done = stack.command(
        *arguments, "--tag", "boats", "--meta", "year=2026", "--meta", "camera=red", "--wait", "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    value: dict[str, str] = json.loads(done.stdout)
    return value


def test_the_release_is_there_and_plays(stack: RunningStack, outcome: dict[str, str], tools: Tools) -> None:
    assert set(outcome) == {"videoId", "releaseId", "release", "hls", "dash", "durations"}
    assert (stack.settings.store / outcome["release"] / "release.json").is_file()
    shown = ffprobe.streams(tools, f"{stack.addresses['delivery']}/{outcome['hls']}")
    assert {stream["codec_type"] for stream in shown} == {"video", "audio"}


def test_delivery_answers_byte_ranges_and_hides_the_original(stack: RunningStack, outcome: dict[str, str]) -> None:
    base = stack.addresses["delivery"]
    ranged = urllib.request.Request(f"{base}/{outcome['hls']}", headers={"Range": "bytes=0-6"})
    with urllib.request.urlopen(ranged) as answer:
        assert (answer.status, answer.read()) == (206, b"#EXTM3U")
        assert answer.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    with urllib.request.urlopen(f"{base}/watch/{VIDEO}") as page:
        assert "Harbour at dawn" in page.read().decode()
    for name in ("blobs", "checkpoints", "artifacts"):
        inside = next(path for path in (stack.settings.store / name).rglob("*") if path.is_file())
        for path in (
            inside.relative_to(stack.settings.store),
            f"videos/%2e%2e/{inside.relative_to(stack.settings.store)}",
        ):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{base}/{path}")


def test_a_worker_that_waits_holds_no_checkpoint(stack: RunningStack, outcome: dict[str, str]) -> None:
    """Its children live on from run to run, their leases do not."""
    store = stack.settings.store
    assert (store / ".leases").is_dir()
    wait_for(lambda: [path.name for path in (store / ".leases").iterdir()] in ([], ["now"]))
    told = json.loads(stack.command("checkpoints", "--json").stdout)
    assert told["files"] > 0
    assert told["bytesInUse"] == 0


def test_bullmq_shows_an_ordinary_completed_job(stack: RunningStack, outcome: dict[str, str]) -> None:
    queue = bull(stack.settings)
    connection = stack.redis
    (job_id,) = [job for job in connection.zrange("bull:video-intake:completed", 0, -1) if _video(stack, job) == VIDEO]
    fields = connection.hgetall(f"bull:video-intake:{job_id}")
    assert json.loads(fields["returnvalue"]) == outcome
    assert json.loads(fields["progress"])["percent"] == 100.0
    assert queue.state(job_id) == "completed"
    assert not connection.exists(f"bull:video-intake:{job_id}:lock")


def _video(stack: RunningStack, job_id: str) -> str | None:
    data = json.loads(stack.redis.hget(f"bull:video-intake:{job_id}", "data") or "{}")
    found: str | None = data.get("videoId")
    return found


def test_the_progress_stream_only_rises_to_100(stack: RunningStack, outcome: dict[str, str]) -> None:
    entries = stack.redis.xrange(Keys(stack.settings).progress)
    percents = [float(entry["percent"]) for _, entry in entries if entry["videoId"] == VIDEO]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert len(set(percents)) > 5


def test_dagster_has_the_run_the_partition_and_every_check(
    stack: RunningStack, outcome: dict[str, str], instance: dg.DagsterInstance
) -> None:
    assert VIDEO in instance.get_dynamic_partitions("videos")
    (run,) = instance.get_runs(dg.RunsFilter(tags={"video/id": VIDEO}))
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert run.tags[JOB_TAG]
    events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    passed = {e.dagster_event.asset_check_evaluation_data.check_name for e in events if e.dagster_event}
    assert passed == set(CHECKS)


def test_search_sql_and_status_know_it(stack: RunningStack, outcome: dict[str, str]) -> None:
    found = stack.command("search", "harbour", "--where", "camera=red", "--json").stdout.splitlines()
    assert [json.loads(line)["video_id"] for line in found] == [VIDEO]
    with sqlite3.connect(stack.home / "index.db") as index:
        ((heights,),) = index.execute(
            "SELECT group_concat(height) FROM renditions WHERE video_id = ? AND height IS NOT NULL", (VIDEO,)
        )
    assert "180" in heights
    status = json.loads(stack.command("status", VIDEO, "--json").stdout)
    assert (status["releaseId"], status["progress"]["percent"]) == (outcome["releaseId"], 100)
    everything = json.loads(stack.command("status", "--json").stdout)
    assert everything["queue"]["completed"] >= 1
    assert [worker["sameCode"] for worker in everything["workers"]] == [True]


def test_no_process_has_more_connections_than_it_may(stack: RunningStack, outcome: dict[str, str]) -> None:
    """As the kernel counts them: ours, and as many again of Celery, to every server there is."""
    nodes = redis_address(stack.settings).nodes
    servers = {child.process.pid for child in stack.topology.servers} if stack.topology else set()
    most = stack.settings.redis_connections
    ports = {port for _, port in nodes} | {port for pid in servers for port in _listening(pid)}
    counts = {}
    for process in processes(stack.home):
        with contextlib.suppress(psutil.Error):
            open_ones = process.net_connections("tcp")
            used = Counter(one.raddr.port for one in open_ones if one.raddr and one.raddr.port in ports)
            counts[f"{process.pid} {' '.join(process.cmdline())}"] = max(used.values(), default=0)
    assert max(counts.values()) > 0
    assert max(counts.values()) <= 2 * most, counts


def _listening(pid: int) -> set[int]:
    return {one.laddr.port for one in psutil.Process(pid).net_connections("tcp") if one.status == psutil.CONN_LISTEN}


def test_the_same_video_again_is_the_same_release(stack: RunningStack, outcome: dict[str, str], clip: Path) -> None:
    again = stack.command(
        *[
            "submit",
            str(clip),
            "--video-id",
            VIDEO,
            "--preset",
            "draft",
            "--title",
            "Harbour at dawn",
            "--tag",
            "boats",
        ],
        *["--meta", "year=2026", "--meta", "camera=red", "--wait", "--json"],
    )
    assert {**json.loads(again.stdout), "durations": None} == {**outcome, "durations": None}
