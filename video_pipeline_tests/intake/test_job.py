from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from video_pipeline.errors import RequestError
from video_pipeline.intake.job import Job, parse

GOOD: dict[str, Any] = {
    "schemaVersion": 1,
    "source": "/videos/a.mp4",
    "videoId": "a",
    "preset": "draft",
    "title": "A",
    "description": "The first",
    "tags": ["one", "two"],
    "metadata": {"nested": {"list": [1, None]}},
}


def test_all_fields() -> None:
    job = parse(GOOD, None)
    assert (job.video_id, job.preset, job.tags) == ("a", "draft", ("one", "two"))
    assert job.metadata == {"nested": {"list": [1, None]}}
    assert job.data() == GOOD


def test_one_spelling_only() -> None:
    with pytest.raises(RequestError, match="video_id: this field is unknown"):
        parse({"source": "/a.mp4", "video_id": "a"}, None)


def test_only_the_source_is_needed() -> None:
    job = parse({"source": "file:///videos/a.mp4"}, None)
    assert job == Job(source="file:///videos/a.mp4")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"source": ""}, "source"),
        ({"source": "videos/a.mp4"}, "source"),
        ({"source": "s3://bucket/a.mp4"}, "s3://"),
        ({"source": 7}, "source"),
        ({"videoId": "UPPER"}, "UPPER"),
        ({"videoId": "a" * 64}, "videoId"),
        ({"preset": "huge"}, "huge"),
        ({"tags": "one"}, "tags"),
        ({"metadata": ["no", "object"]}, "metadata"),
        ({"schemaVersion": 2}, "schemaVersion"),
        ({"video_id": "snake"}, "video_id"),
        ({"webhook": "x"}, "webhook"),
    ],
)
def test_what_cannot_be_used_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(RequestError, match=named):
        parse({**GOOD, **change}, None)


HALF = "\ud83d"
"""Of a surrogate pair: JSON can spell it, UTF-8 cannot hold it."""


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"source": f"/{HALF}"}, "source"),
        ({"videoId": HALF}, "videoId"),
        ({"preset": HALF}, "preset"),
        ({"title": HALF}, "title"),
        ({"description": f"a {HALF}"}, "description"),
        ({"tags": ["a", HALF]}, "tags"),
        ({"metadata": {HALF: 1}}, "metadata"),
        ({"metadata": {"a": [{HALF: 1}]}}, "metadata"),
        ({"metadata": {"a": [{"b": HALF}]}}, "metadata"),
        ({"metadata": {"a": 1e999}}, "metadata"),
        ({"metadata": {"a": [{"b": float("nan")}]}}, "metadata"),
        ({HALF: 1}, "job data"),
    ],
)
def test_what_no_other_program_could_read_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(RequestError, match=f"^{named}:? ") as caught:
        parse({**GOOD, **change}, None)
    assert str(caught.value).isascii()


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_data_that_are_no_object(data: object) -> None:
    with pytest.raises(RequestError, match="job data"):
        parse(data, None)


def test_an_own_preset_is_known(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: draft\n")
    assert parse({**GOOD, "preset": "mine"}, tmp_path).preset == "mine"
