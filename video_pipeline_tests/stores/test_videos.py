from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa

from video_pipeline.media.products import CheckResult
from video_pipeline.stores import releases
from video_pipeline.stores.fields import as_number, flatten
from video_pipeline.stores.index import Index
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.requests import Requests
from video_pipeline.stores.videos import replace_video
from video_pipeline_tests.stores.drafts import draft
from video_pipeline_tests.stores.processes import together
from video_pipeline_tests.stores.records import AUDIO, record, rendition

CHILDREN = ("renditions", "scenes", "thumbnails", "checks", "custom_fields")


def rows(index: Index, sql: str) -> list[Any]:
    with closing(sqlite3.connect(index.path)) as raw:
        return raw.execute(sql).fetchall()


def counts(index: Index) -> dict[str, int]:
    return {name: rows(index, f"SELECT count(*) FROM {name}")[0][0] for name in (*CHILDREN, "videos", "video_words")}


def test_every_table_is_filled(index: Index) -> None:
    replace_video(index, record(tags=("a", "b"), metadata={"customer": "acme", "year": 2026}))
    assert rows(index, "SELECT video_id, title, duration, loudness, true_peak, bytes FROM videos") == [
        ("film", "Big Buck Bunny", 4.0, -23.0, -1.0, 5_000_064_000)
    ]
    assert rows(index, "SELECT momentary_max, short_term_max, waveform_path, waveform_bytes FROM videos") == [
        (-15.0, -18.5, "releases/x/audio/waveform.json", 1234)
    ]
    assert rows(index, "SELECT loudness - loudness_target FROM videos") == [(0.0,)]
    assert rows(index, "SELECT download_path, download_bytes FROM videos") == [("media/abc.mp4", 5_000_000_000)]
    assert [json.loads(text) for text in rows(index, "SELECT tags, metadata FROM videos")[0]] == [
        ["a", "b"],
        {"customer": "acme", "year": 2026},
    ]
    assert rows(index, "SELECT name, codec, width, shorter_side FROM renditions ORDER BY name") == [
        ("audio-1", "aac", None, None),
        ("h264-720p", "h264", 1280, 720),
    ]
    assert rows(index, "SELECT number, first_frame, end_frame, start, duration FROM scenes") == [
        (0, 0, 50, 0.0, 2.0),
        (1, 50, 100, 2.0, 2.0),
    ]
    assert rows(index, "SELECT name, time, bytes FROM thumbnails") == [("poster.jpg", 0.4, 9)]
    assert rows(index, "SELECT name, passed, measured FROM checks") == [("decodes", 1, "100 frames")]
    assert rows(index, "SELECT key, value, number FROM custom_fields ORDER BY key") == [
        ("customer", "acme", None),
        ("year", "2026", 2026.0),
    ]


def test_replaced_wholly(index: Index) -> None:
    replace_video(index, record(metadata={"old": [1, 2, 3]}))
    replace_video(index, record("other"))
    [(number,)] = rows(index, "SELECT id FROM videos WHERE video_id = 'film'")
    replace_video(index, record(title="New", renditions=(AUDIO,), scenes=(), thumbnails=(), checks=(), loudness=None))
    assert rows(index, "SELECT id, title, loudness FROM videos WHERE video_id = 'film'") == [(number, "New", None)]
    found = {name: rows(index, f"SELECT count(*) FROM {name} WHERE video_id = 'film'")[0][0] for name in CHILDREN}
    assert found == {"renditions": 1, "scenes": 0, "thumbnails": 0, "checks": 0, "custom_fields": 0}
    assert counts(index)["video_words"] == 2
    assert rows(index, "SELECT count(*) FROM video_words WHERE video_words MATCH 'bunny'") == [(1,)]


def test_a_row_that_cannot_be_written_changes_nothing(index: Index) -> None:
    replace_video(index, record())
    before = counts(index)
    with closing(sqlite3.connect(index.path)) as raw, raw:
        raw.execute("CREATE TRIGGER stop BEFORE INSERT ON checks BEGIN SELECT RAISE(ABORT, 'no checks today'); END")
    with pytest.raises(sa.exc.IntegrityError, match="no checks today"):
        replace_video(index, record(title="New", checks=(CheckResult(name="x", passed=True, measured=""),)))
    assert counts(index) == before
    assert rows(index, "SELECT title FROM videos") == [("Big Buck Bunny",)]
    assert rows(index, "SELECT title FROM video_words") == [("Big Buck Bunny",)]


def test_the_request_is_published_with_it(index: Index) -> None:
    requests = Requests(index)
    requests.add(video_id="film", source="s", preset="web")
    requests.add(video_id="film", source="s", preset="web")
    replace_video(index, record(request=2))
    assert requests.published("film", 1) is None
    assert requests.published("film", 2) == "r" * 20


def test_time_of_publication_stays_for_the_same_release(index: Index) -> None:
    replace_video(index, record())
    first = rows(index, "SELECT published FROM videos")
    replace_video(index, record(title="again"))
    assert rows(index, "SELECT published FROM videos") == first
    replace_video(index, record(release_id="s" * 20))
    assert rows(index, "SELECT published FROM videos") > first


def test_a_late_run_does_not_undo_a_newer_release(index: Index, tmp_path: Any) -> None:
    store = LocalStore(tmp_path / "store")
    requests = Requests(index)
    ids = [releases.publish(store, draft(store, mark)).release_id for mark in ("one", "two")]
    for _ in ids:
        requests.add(video_id="film", source="s", preset="web")
    assert replace_video(index, record(release_id=ids[1], request=2, title="two"), store=store)
    assert not replace_video(index, record(release_id=ids[0], request=1, title="one"), store=store)
    assert rows(index, "SELECT release_id, title FROM videos") == [(ids[1], "two")]
    assert [requests.published("film", version) for version in (1, 2)] == ids


def test_many_processes_lose_nothing(index: Index) -> None:
    script = """
from video_pipeline.stores.index import Index
from video_pipeline.stores.videos import replace_video
from video_pipeline_tests.stores.records import record
index = Index(sys.argv[1])
me = sys.argv[2]
for number in range(12):
    replace_video(index, record(f"{me}-{number}", title=f"own {me}", metadata={"n": number}))
    replace_video(index, record("shared", title=f"by{me} of{number}", metadata={"by": me, "n": number}))
"""
    together(script, [[index.url, str(number)] for number in range(4)])
    found = counts(index)
    assert found["videos"] == found["video_words"] == 4 * 12 + 1
    assert found["renditions"] == found["scenes"] == 2 * found["videos"]
    assert found["custom_fields"] == 4 * 12 + 2
    # The shared one is one writer's, all of it.
    [(title,)] = rows(index, "SELECT title FROM videos WHERE video_id = 'shared'")
    fields = dict(rows(index, "SELECT key, value FROM custom_fields WHERE video_id = 'shared'"))
    assert title == f"by{fields['by']} of{fields['n']}"
    words = rows(index, "SELECT w.title FROM video_words w JOIN videos v ON v.id = w.rowid WHERE video_id = 'shared'")
    assert words == [(title,)]
    with closing(sqlite3.connect(index.path)) as raw:
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        raw.execute("INSERT INTO video_words (video_words) VALUES ('integrity-check')")


def test_flatten() -> None:
    assert list(flatten({"a": {"b": [1, "x", {"c": None}]}, "d": True, "e": 1.0, "f": [], "g": ""})) == [
        ("a.b", "1"),
        ("a.b", "x"),
        ("a.b.c", "null"),
        ("d", "true"),
        ("e", "1.0"),
        ("g", ""),
    ]


def test_numbers() -> None:
    assert [as_number(text) for text in ("1", "1.50", "-2e3")] == [1.0, 1.5, -2000.0]
    # Neighbours of large numbers are the same float.
    assert [as_number(text) for text in ("x", "", "nan", "inf", "9007199254740993", "1" * 400)] == [None] * 6


def test_heights_are_shorter_sides(index: Index) -> None:
    replace_video(index, record(renditions=(rendition("h264", 1080, 1920),)))
    assert rows(index, "SELECT name, height, shorter_side FROM renditions") == [("h264-1080p", 1920, 1080)]
