from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from video_pipeline.errors import RequestError
from video_pipeline.media.options import Options, Trim
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
from video_pipeline_tests.stores.processes import together


@pytest.fixture
def requests(index: Index) -> Requests:
    return Requests(index)


def rows(index: Index, sql: str) -> list[Any]:
    with closing(sqlite3.connect(index.path)) as raw:
        return raw.execute(sql).fetchall()


def test_what_was_asked_for_comes_back(requests: Requests, index: Index) -> None:
    made = requests.add(
        video_id="v",
        source="/data/a b.mov",
        preset="web",
        title="Ünïcode",
        description="d",
        tags=("x", "y"),
        metadata={"n": 1.5, "deep": {"list": [1, None, True]}},
        options=Options(trim=Trim(start=1), thumbnails_at=(2, "50%")),
        job_id="e:1",
    )
    assert requests.latest("v") == requests.get("v", 1) == made
    assert made.created.tzinfo is not None
    assert abs(datetime.now(timezone.utc) - made.created) < timedelta(minutes=1)
    [(tags, metadata, options, created)] = rows(index, "SELECT tags, metadata, options, created FROM requests")
    assert json.loads(tags) == ["x", "y"]
    assert json.loads(metadata) == {"n": 1.5, "deep": {"list": [1, None, True]}}
    assert json.loads(options) == {"trim": {"start": 1}, "thumbnailsAt": [2, "50%"]}
    assert created == made.created.strftime("%Y-%m-%d %H:%M:%S.%f")


def test_versions_count_per_video(requests: Requests) -> None:
    versions = [requests.add(video_id=v, source="s", preset="web").version for v in ("a", "a", "b", "a")]
    assert versions == [1, 2, 1, 3]
    latest = requests.latest("a")
    assert latest is not None
    assert latest.version == 3
    assert requests.get("a", 4) is None
    assert requests.latest("c") is None


def test_a_job_asks_once(requests: Requests) -> None:
    first = requests.add(video_id="v", source="s", preset="web", job_id="1")
    assert requests.add(video_id="v", source="other", preset="draft", job_id="1") == first
    latest = requests.latest("v")
    assert latest == first


def test_many_processes_lose_no_request(requests: Requests, index: Index) -> None:
    script = """
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
requests = Requests(Index(sys.argv[1]))
for number in range(15):
    requests.add(video_id=f"v{number % 2}", source=sys.argv[2], preset="web")
    requests.add(video_id="job", source=sys.argv[2], preset="web", job_id=f"job {number}")
"""
    together(script, [[index.url, str(number)] for number in range(4)])
    assert rows(index, "SELECT video_id, count(*), max(version) FROM requests GROUP BY 1 ORDER BY 1") == [
        ("job", 15, 15),
        ("v0", 32, 32),
        ("v1", 28, 28),
    ]


def test_published(requests: Requests, index: Index) -> None:
    requests.add(video_id="v", source="s", preset="web")
    assert requests.published("v", 1) is None
    requests.mark_published("v", 1, "r1")
    assert requests.published("v", 1) == "r1"
    assert requests.published("v", 2) is None
    first = rows(index, "SELECT published FROM requests")
    requests.mark_published("v", 1, "r1")
    assert rows(index, "SELECT published FROM requests") == first
    requests.mark_published("v", 1, "r2")
    assert requests.published("v", 1) == "r2"


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", "\ud800"), ("tags", ("\ud800",)), ("metadata", {"x": float("nan")}), ("metadata", {"x": {1, 2}})],
)
def test_what_json_cannot_hold_is_refused(requests: Requests, field: str, value: object) -> None:
    with pytest.raises(RequestError, match=f"^{field}: cannot be written as JSON"):
        requests.add(**{"video_id": "v", "source": "s", "preset": "web", field: value})  # type: ignore[arg-type]
    assert requests.latest("v") is None
