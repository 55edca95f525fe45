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
    "trim": {"start": 1.5, "end": 10},
    "thumbnailsAt": [0, 2.25, "12.5%"],
    "poster": "50%",
    "thumbnail": "/videos/a.jpg",
    "audio": "stereo",
    "subtitles": [{"source": "/videos/a.en.srt", "language": "en", "label": "English"}],
}


def test_all_fields() -> None:
    job = parse(GOOD, None)
    assert (job.video_id, job.preset, job.tags) == ("a", "draft", ("one", "two"))
    assert job.metadata == {"nested": {"list": [1, None]}}
    assert job.data() == GOOD
    assert job.options.data() == {
        name: GOOD[name] for name in ("trim", "thumbnailsAt", "poster", "thumbnail", "audio", "subtitles")
    }


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
        ({"trim": "1:2"}, "^trim: must be an object"),
        ({"trim": {"start": "1"}}, "^trim.start: must be a number of seconds"),
        ({"trim": {"start": True}}, "^trim.start: must be a number"),
        ({"trim": {"end": -0.1}}, "^trim.end: must be from 0 to 86400 seconds"),
        ({"trim": {"end": 10**400}}, "^trim.end: must be from 0"),
        ({"trim": {"start": float("nan")}}, "^trim.start: must be from 0"),
        ({"trim": {"start": 2, "end": 2}}, r"^trim: end \(2 s\) must be after start \(2 s\)"),
        ({"trim": {"stop": 2}}, "^trim.stop: this field is unknown; there are start, end$"),
        ({"thumbnail": "a.jpg"}, "^thumbnail: give an absolute path: workers run in another directory"),
        ({"thumbnail": "https://a/b.jpg"}, "^thumbnail: https:// cannot be read; give a path or file:// URL"),
        ({"thumbnail": ["/a.jpg"]}, "^thumbnail: must be a text"),
        ({"thumbnailsAt": 5}, "^thumbnailsAt: must be a list"),
        ({"thumbnailsAt": [0, "5"]}, "^thumbnailsAt.1: must be a number of seconds, or per cent"),
        ({"thumbnailsAt": ["100.5%"]}, "^thumbnailsAt.0: "),
        ({"thumbnailsAt": [None]}, "^thumbnailsAt.0: must be a number"),
        ({"thumbnailsAt": [1] * 51}, "^thumbnailsAt: may have at most 50"),
        ({"poster": -1}, "^poster: must be from 0"),
        ({"poster": "first"}, "^poster: must be a number"),
        ({"audio": "mono"}, "^audio: .*'keep', 'stereo' or 'none'"),
        ({"subtitles": {"source": "/a"}}, "^subtitles: must be a list"),
        ({"subtitles": [{"source": "/a"}]}, "^subtitles.0.language: is missing"),
        ({"subtitles": [{"source": "a.srt", "language": "en"}]}, "^subtitles.0.source: give an absolute path"),
        ({"subtitles": [{"source": "http://a/b", "language": "en"}]}, "^subtitles.0.source: http://"),
        ({"subtitles": [{"source": "/a", "language": "english!"}]}, "^subtitles.0.language: must be a language tag"),
        ({"subtitles": [{"source": "/a", "language": "en", "label": "a\nb"}]}, "^subtitles.0.label: "),
        ({"subtitles": [{"source": "/a", "language": "en", "kind": "x"}]}, "kind: .* source, language, label$"),
        ({"subtitles": [{"source": "/a", "language": "en"}] * 51}, "^subtitles: may have at most 50"),
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
        ({"poster": HALF}, "poster"),
        ({"subtitles": [{"source": f"/{HALF}", "language": "en"}]}, "subtitles.0.source"),
        ({"subtitles": [{"source": "/a", "language": "en", "label": HALF}]}, "subtitles.0.label"),
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
