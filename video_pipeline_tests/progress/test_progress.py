"""One percentage per run that only rises, told often enough and not more often."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from video_pipeline import settings
from video_pipeline.connection import client
from video_pipeline.errors import Cancelled, DependencyError, PipelineError, SourceError, TransientError
from video_pipeline.execution.keys import Keys
from video_pipeline.intake.bull import bull
from video_pipeline.intake.ledger import Claim
from video_pipeline.media.model import EncodingPlan
from video_pipeline.progress.follow import outcome
from video_pipeline.progress.redis import FLUSH_SECONDS, RedisReporter
from video_pipeline.progress.reporter import Reporter, TextReporter
from video_pipeline.progress.stages import WEIGHTS, Percent, shares
from video_pipeline.settings import Settings
from video_pipeline_tests.processes import wait_for
from video_pipeline_tests.topologies import Topology, running


class Recorder(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, float, float]] = []

    def tell(self, stage: str, fraction: float, percent: float) -> None:
        self.told.append((stage, fraction, percent))


@given(st.lists(st.tuples(st.sampled_from(sorted(WEIGHTS)), st.floats(-1, 2))))
def test_the_whole_never_falls_and_stays_within_100(updates: list[tuple[str, float]]) -> None:
    percent, last = Percent(), 0.0
    for stage, fraction in updates:
        value = percent.update(stage, fraction)
        assert last <= value <= 100
        last = value


def test_all_stages_are_all() -> None:
    percent = Percent()
    assert [percent.update(stage, 1.0) for stage in WEIGHTS][-1] == 100


def planned(seconds: float = 60) -> EncodingPlan:
    rungs = [("h264", 1280, 720), ("hevc", 1280, 720), ("hevc", 640, 360)]
    made = [SimpleNamespace(family=family, width=width, height=height) for family, width, height in rungs]
    plan = SimpleNamespace(family=lambda family: [rung for rung in made if rung.family == family], duration=seconds)
    return cast(EncodingPlan, plan)


def test_a_search_counts_the_more_the_shorter_the_video_is() -> None:
    found = {seconds: shares(planned(seconds), searched=True) for seconds in (6, 60, 600)}
    searches = {seconds: weights["encoding_plan"] for seconds, weights in found.items()}
    assert searches[6] > 40 > searches[60] > 10 > searches[600] > 1
    assert {round(sum(weights.values())) for weights in found.values()} == {81}
    percent = Percent()
    percent.expect(found[60])
    assert [percent.update(stage, 1.0) for stage in WEIGHTS][-1] == 100


def test_the_weight_of_encoding_is_spread_over_the_families_of_the_plan() -> None:
    found = shares(planned(), searched=False)
    assert sum(found.values()) == pytest.approx(81)
    assert found["renditions/hevc"] > found["renditions/h264"] > 0 == found["renditions/vp9"]
    percent = Percent()
    percent.expect(found)
    assert percent.update("renditions/vp9", 1.0) == 0
    assert percent.update("renditions/hevc", 1.0) > 40
    assert [percent.update(stage, 1.0) for stage in WEIGHTS][-1] == 100


def test_ends_are_always_told_and_told_once() -> None:
    recorder = Recorder()
    for fraction in (0.0, *(n / 1000 for n in range(1, 1000)), 1.0, 1.0):
        recorder.report("renditions/h264", fraction)
    fractions = [fraction for _, fraction, _ in recorder.told]
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert fractions.count(1.0) == 1
    assert len(fractions) < 50


def test_a_log_gets_one_line_per_stage() -> None:
    stream = io.StringIO()
    text = TextReporter(stream)
    for stage in ("source", "renditions/hevc", "renditions/h264"):
        for fraction in (0.0, 0.5, 1.0):
            text.report(stage, fraction)
    lines = stream.getvalue().splitlines()
    assert [line.split()[2] for line in lines] == ["source", "renditions/h264"], "no HEVC in this plan"


def test_stream_hash_and_job(queue_settings: Settings) -> None:
    queue = bull(queue_settings)
    job_id = queue.add({"source": "/a.mp4"})
    reporter = RedisReporter(queue_settings, video_id="a", run_id="r", job_id=job_id)
    queue.ledger.remember(job_id, Claim(number=1, video_id="a", request=1))
    reporter.report("source", 1.0)
    reporter.flush()
    connection, keys = client(queue_settings), Keys(queue_settings)
    entries: Any = connection.xrange(keys.progress)
    ((_, entry),) = entries
    assert connection.hgetall(keys.video("a")) == {**entry, "state": "running"}
    assert (entry["videoId"], entry["runId"], entry["jobId"], entry["stage"]) == ("a", "r", job_id, "source")
    assert 0 < connection.ttl(keys.video("a")) <= 7 * 24 * 3600
    job = connection.hget(queue.key(job_id), "progress")
    assert json.loads(job or "")["percent"] == float(entry["percent"])


def test_a_run_does_not_mind_that_nobody_can_be_told(
    queue_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    deaf = queue_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    reporter = RedisReporter(deaf, video_id="a", run_id="r", job_id="1")
    for number in range(5000):
        reporter.tell("renditions/h264", number / 5000, 1.0)
    wait_for(lambda: "progress cannot be told" in caplog.text)
    started = time.monotonic()
    reporter.flush()
    assert time.monotonic() - started < FLUSH_SECONDS, "it is known to be in vain"


def test_what_could_not_be_told_is_told_in_order_when_redis_is_back(tmp_path: Path) -> None:
    with running("plain", tmp_path) as topology:
        ours = settings.load(home=tmp_path, redis_url=topology.url)
        reporter = RedisReporter(ours, video_id="a", run_id="r", job_id=None)
        reporter.report("source", 0.0)
        reporter.flush()
        (server,) = topology.servers
        server.process.kill()
        server.process.wait()
        for fraction in (0.5, 1.0):
            reporter.tell("source", fraction, 100 * fraction)
        topology.again(server)
        told = wait_for(lambda: found if len(found := entries(topology)) == 3 else None)
    assert [float(entry["fraction"]) for entry in told] == [0.0, 0.5, 1.0]


def entries(topology: Topology) -> list[dict[str, str]]:
    try:
        return [entry for _, entry in topology.client.xrange("{video}:progress")]
    except redis.RedisError:
        return []


def test_late_progress_does_not_undo_the_last_word(queue_settings: Settings) -> None:
    queue = bull(queue_settings)
    job_id = queue.add({"source": "/a.mp4"})
    queue.ledger.note("a", state="completed")  # and nobody holds the job any more
    reporter = RedisReporter(queue_settings, video_id="a", run_id="r", job_id=job_id)
    reporter.report("source", 1.0)
    reporter.flush()
    assert queue.ledger.notes("a") == {"state": "completed"}


@pytest.mark.parametrize(
    ("reason", "kind", "text"),
    [
        ("permanent: a.mp4: no video", SourceError, "a.mp4: no video"),
        ("dependency: disk full", DependencyError, "disk full"),
        ("transient: hiccup", TransientError, "hiccup"),
        ("cancelled", Cancelled, "the job was cancelled"),
        ("written by somebody else", TransientError, "written by somebody else"),
    ],
)
def test_a_failure_reason_is_the_error_again(reason: str, kind: type[PipelineError], text: str) -> None:
    error = outcome(reason)
    assert (type(error), str(error)) == (kind, text)
