"""Jobs that another program wrote, some of them never meant for us. Each ends with a sentence, and the next job of the
queue is taken as if it had not been there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from video_pipeline.errors import RequestError, ServiceDown
from video_pipeline.execution.slots import Announcement
from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import Bull
from video_pipeline.intake.ledger import Claim
from video_pipeline.intake.room import room
from video_pipeline.settings import Settings
from video_pipeline_tests.intake.ticking import World
from video_pipeline_tests.node.app import NodeApp, app
from video_pipeline_tests.processes import wait_for

MANY = 100
GOOD = {"schemaVersion": 1, "source": "/good.mp4"}
DEEP = "const deep = (levels) => { let d = 1; for (let n = 0; n < levels; n++) d = { d }; return d };"


@pytest.fixture
def slots(world: World) -> Iterator[None]:
    """So many that no job has to wait for another one."""
    settings = world.settings.model_copy(update={"worker_slots": MANY})
    announcement = Announcement(settings)
    announcement.start()
    wait_for(lambda: room(settings, 0, 0).free >= MANY)
    yield
    announcement.stop()


def outcomes(world: World, node: NodeApp, job_ids: list[str]) -> dict[str, str]:
    """How each job ended, by its id; the empty text if a run of it is wanted. The job after them is always taken."""
    node.add(GOOD, jobId="good", priority=2_097_151)
    taken: dict[str, str] = {}

    def tick() -> bool:
        for wanted in world.tick():
            world.run(wanted, dg.DagsterRunStatus.STARTED)
            taken[wanted.tags["video/job"]] = wanted.video_id
        return "good" in taken

    # It is the very last: jobs of the lowest priority come in the order of their arrival.
    wait_for(tick, 30)
    return {job_id: "" if job_id in taken else reason(node, job_id) for job_id in job_ids}


def reason(node: NodeApp, job_id: str) -> str:
    """Read field by field: Node cannot parse every job either."""
    code = "return await (await queue.getBackend().client).hget(queue.toKey(a.id), 'failedReason')"
    return str(node(code, id=job_id))


DATA = {
    "null": "job data: must be an object",
    "undefined": "source: is missing",
    "[1]": "job data: must be an object",
    "{ source: '/a.mp4', ['x'.repeat(1e6)]: 1 }": "x: this field is unknown",
    "{ source: '/a.mp4', title: '\\ud800' }": "title",
    "{ source: '/a.mp4', metadata: { '\\ud800': 1 } }": "metadata",
    "{ source: '/a.mp4', metadata: { a: [{ '\\ud800': 1 }] } }": "metadata",
    "{ source: '/\\ud800' }": "source",
    "{ source: '/a.mp4', metadata: deep(65) }": "metadata: is nested more than 64 levels deep",
    "{ source: '/a.mp4', metadata: deep(2000) }": "data of this job cannot be read",
    "{ source: '/a.mp4', metadata: deep(64) }": "",
    "{ source: '/a.mp4', title: 'x'.repeat(1e6) }": "",
    "{ source: '/a.mp4', title: '\\0' }": "",
}


def test_data(world: World, slots: None) -> None:
    with app(world.settings) as node:
        ids = {node(f"{DEEP} return (await queue.add('video', {data})).id"): data for data in DATA}
        for job_id, found in outcomes(world, node, list(ids)).items():
            named = DATA[ids[job_id]]
            assert named in found
            assert found.startswith("permanent: ") == bool(named), ids[job_id]
            assert len(found) < 400


OPTIONS = [
    *("{ delay: 2.5 }", "{ delay: -1 }", "{ timestamp: Date.now() + 0.5 }", "{ timestamp: 'now' }"),
    *("{ timestamp: -5 }", "{ timestamp: 9e15 }", "{ priority: 9 }", "{ priority: 2097151 }", "{ lifo: true }"),
    *("{ attempts: 'abc' }", "{ attempts: {} }", "{ attempts: 0 }", "{ attempts: -1 }", "{ attempts: 1.5 }"),
    *("{ attempts: null }", "{ attempts: undefined }", "{ attempts: 1e300 }", "{ stackTraceLimit: 'x' }"),
    *("{ attempts: 2, backoff: { type: 'custom' } }", "{ attempts: 2, backoff: 'soon' }", "{ backoff: [1] }"),
    *("{ removeOnFail: { age: 9, count: 99 } }", "{ keepLogs: 0 }", "{ deduplication: { id: 'd' } }"),
    *("{ jobId: 'a b' }", "{ jobId: 'repeat:b:c' }", "{ jobId: 'ü\\n\\u2028' }", "{ jobId: '*' }"),
    "{ jobId: 'i'.repeat(5000) }",
]


@pytest.mark.parametrize(("source", "named"), [("a.mp4", "permanent: source: give an absolute path"), ("/a.mp4", "")])
def test_options(world: World, slots: None, source: str, named: str) -> None:
    with app(world.settings) as node:
        add = "return (await queue.add('video', { source: a.source }, %s)).id"
        ids = {node(add % options, source=source): options for options in OPTIONS}
        for job_id, found in outcomes(world, node, list(ids)).items():
            assert found[: len(named) or None] == named, ids[job_id]


@pytest.mark.parametrize("options", [{"removeOnFail": True}, {"removeOnFail": 0}, {"removeOnFail": "yes"}])
def test_a_job_that_leaves_nothing_behind(world: World, options: dict[str, Any]) -> None:
    with app(world.settings) as node:
        job_id = node.add({}, **options)
        outcomes(world, node, [])
        assert node.state(job_id) == "unknown"
        assert node.ended(job_id)["event"] == "failed"
    assert set(world.bull.ledger.claims()) == {"good"}


BROKEN = [
    ("data", "'words'", "data of this job cannot be read"),
    ("data", "Buffer.from([0x22, 0xff, 0x22])", "job data: must be an object"),
    ("data", """'{"source": "/a.mp4", "metadata": {"x": 1e999}}'""", "permanent: metadata: cannot be written as JSON"),
    ("data", """'{"source": "/a.mp4", "metadata": {"x": NaN}}'""", "permanent: metadata: cannot be written as JSON"),
    ("opts", "'words'", "opts of this job cannot be read"),
    ("opts", "'[]'", "source"),
    ("name", "Buffer.from([0xff])", "source"),
    ("progress", "'{'", "source"),
    ("progress", "'['.repeat(5000) + ']'.repeat(5000)", "source"),
    ("stacktrace", "'7'", "source"),
    ("timestamp", "'x'", "source"),
    ("timestamp", "'1e999'", "source"),
]


def test_a_broken_hash(world: World) -> None:
    with app(world.settings) as node:
        node("await queue.pause()")
        ids = {}
        for field, value, named in BROKEN:
            job_id = node.add({})
            node(f"await (await queue.getBackend().client).hset(queue.toKey(a.id), '{field}', {value})", id=job_id)
            ids[job_id] = named
        node("await queue.resume()")
        for job_id, found in outcomes(world, node, list(ids)).items():
            assert ids[job_id] in found


def test_an_id_that_is_no_text(world: World) -> None:
    with app(world.settings) as node:
        node("await queue.add('\\ud800', a.data, { jobId: '\\ud800' })", data=GOOD)
        outcomes(world, node, [])
    assert world.bull.counts()["failed"] == 1


@pytest.mark.parametrize(
    "data",
    ["null", "{ jobId: deep(2000) }", "{ jobId: {} }", "{ jobId: '\\ud800' }", "{ jobId: 7 }", "{ jobId: null }", "7"],
)
def test_requests_on_the_control_queue(world: World, data: str) -> None:
    with app(world.settings) as node:
        job_id = node(f"{DEEP} return (await control.add('cancel', {data}, {{ timestamp: 1.5 }})).id")
        outcomes(world, node, [])
        found = node("return (await control.getFailed()).map((job) => [job.id, job.failedReason])")
    ((failed, why),) = found
    assert failed == job_id
    assert why.startswith("permanent: ")


def test_what_is_no_job_at_all_holds_nobody_up(world: World, slots: None) -> None:
    """Its id is in the queue, and under its key lies something else."""
    key, server = world.bull.key, world.bull.redis
    server.set(key("odd"), "text")
    server.rpush(key("wait"), "odd")
    server.zadd(key("marker"), {"0": 0})
    with contextlib.suppress(ServiceDown):  # BullMQ's script takes it before it fails
        world.tick()
    assert server.lrange(key("active"), 0, -1) == ["odd"]
    with app(world.settings) as node:
        outcomes(world, node, [])
    assert server.get(key("odd")) == "text"
    with pytest.raises(RequestError):
        world.bull.cancel("nobody")


@pytest.mark.parametrize(
    ("name", "value"),
    [("opts", '{"fpof": true, "rdof": true}'), ("parent", "[1]"), ("parent", "{"), ("parent", "7"), ("parentKey", "x")],
)
def test_fields_that_no_client_of_today_writes(world: World, slots: None, name: str, value: str) -> None:
    with app(world.settings) as node:
        sources = {node.add({"source": source}): source for source in ("/a.mp4", "a.mp4")}
        for job_id in sources:
            world.bull.redis.hset(world.bull.key(job_id), name, value)
        found = {sources[job_id]: why for job_id, why in outcomes(world, node, list(sources)).items()}
    assert found["/a.mp4"] == ""
    assert found["a.mp4"].startswith("permanent: source: give an absolute path")


def test_a_request_that_nobody_can_answer_keeps_no_other_waiting(world: World) -> None:
    with app(world.settings) as node:
        add = "return (await control.add('cancel', { jobId: 'nobody' })).id"
        bad, good = node(add), node(add)
        world.bull.redis.hset(world.bull.control_key(bad), "name", b"\xff")
        outcomes(world, node, [])
        found = node("return (await control.getJob(a.id)).failedReason", id=good)
    assert found == "permanent: no job of nobody waits or runs"


def test_a_scheduler_goes_on(world: World) -> None:
    """Whoever takes a scheduled job makes the next one."""
    with app(world.settings) as node:
        node("await queue.upsertJobScheduler('often', { every: 100 }, { name: 'video', data: {} })")
        while world.bull.counts()["failed"] < 3:
            world.tick()
        node("await queue.removeJobScheduler('often')")


@pytest.mark.parametrize("backoff", [{"type": "custom"}, {"type": "exponential", "delay": 1e300}, "soon", [1], True])
def test_any_backoff_brings_a_job_back(active: Active, queue: Bull, queue_settings: Settings, backoff: Any) -> None:
    with app(queue_settings) as node:
        job_id = node.add(GOOD, attempts=2, backoff=backoff)
        (job,) = active.take(1, 1)
        queue.ledger.remember(job_id, Claim(number=1, video_id="v", request=1))
        (held,) = active.held()
        due = active.fail(held.job, "transient: a hiccup", {"class": "transient"}, final=False)
        assert due is not None
        assert node.state(job_id) == "delayed"
        assert job.id == job_id
