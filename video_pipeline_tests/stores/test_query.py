from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from video_pipeline.errors import HomeError, RequestError
from video_pipeline.stores import query
from video_pipeline.stores.index import Index
from video_pipeline.stores.videos import replace_video
from video_pipeline_tests.stores.records import record


@pytest.fixture
def library(index: Index) -> Index:
    replace_video(index, record(metadata={"customer": "acme"}))
    return index


def digests(index: Index) -> dict[str, str]:
    home = index.path.parent
    # Readers leave their marks in -shm, and an empty -wal.
    names = [path for path in home.iterdir() if path.suffix != ".db-shm" and path.stat().st_size]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in names}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT video_id FROM videos",
        "select v.video_id from videos v join renditions r using (video_id) where r.codec = 'h264'",
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT 'film' FROM n WHERE i = 3",
        "SELECT v.video_id FROM videos v JOIN video_words w ON w.rowid = v.id WHERE video_words MATCH 'buck'",
        "SELECT video_id FROM videos WHERE json_extract(metadata, '$.customer') = 'acme';",
    ],
)
def test_reading(library: Index, sql: str) -> None:
    assert query.run(library, sql).rows == [("film",)]


def test_columns_have_different_names(library: Index) -> None:
    result = query.run(library, "SELECT 1 AS a, 2 AS a, 3 AS a_2, video_id FROM videos")
    assert result.columns == ("a", "a_2", "a_2_2", "video_id")
    assert query.run(library, "SELECT video_id FROM videos WHERE 0").columns == ("video_id",)


def test_pragmas_that_only_tell(library: Index) -> None:
    assert "video_id" in [row[1] for row in query.run(library, "PRAGMA table_info(videos)").rows]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM videos",
        "UPDATE videos SET title = 'x'",
        "INSERT INTO videos (video_id) VALUES ('x')",
        "DROP TABLE videos",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "INSERT INTO video_words (video_words) VALUES ('optimize')",
        "ATTACH '{home}/other.db' AS other",
        "VACUUM INTO '{home}/copy.db'",
        "VACUUM",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 5",
        "PRAGMA writable_schema = ON",
        "REINDEX",
        "ANALYZE",
        "BEGIN IMMEDIATE",
        "SELECT load_extension('x')",
        "WITH x AS (SELECT 1) DELETE FROM videos",
        "EXPLAIN DELETE FROM videos",
    ],
)
def test_everything_else_is_refused(library: Index, sql: str) -> None:
    before = digests(library)
    with pytest.raises(RequestError, match=r"^SQL: only reading is allowed \(.*\); write a SELECT$"):
        query.run(library, sql.format(home=library.path.parent))
    assert digests(library) == before


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT codecs FROM videos", "no such column: codecs"),
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        ("SELECT 1; DELETE FROM videos", "one statement at a time"),
        ("", "no rows"),
        ("-- only a comment", "no rows"),
        ("SELECT '\ud800'", "surrogates"),
        ('SELECT "database is locked" FROM nowhere', "no such table"),
    ],
)
def test_bad_sql_is_one_sentence(library: Index, sql: str, says: str) -> None:
    with pytest.raises(RequestError, match=says) as caught:
        query.run(library, sql)
    assert str(caught.value).startswith("SQL: ")
    assert "\n" not in str(caught.value)


def test_not_for_ever(library: Index) -> None:
    endless = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(RequestError, match=r"stopped after 0\.2 s"):
        query.run(library, endless, seconds=0.2)


def test_reads_while_another_writes(library: Index) -> None:
    with library.write() as connection:
        connection.exec_driver_sql("DELETE FROM videos")
        assert query.run(library, "SELECT count(*) FROM videos").rows == [(1,)]


def test_no_index_yet(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="no index"):
        query.run(Index(f"sqlite:///{tmp_path}/index.db"), "SELECT 1")
    assert list(tmp_path.iterdir()) == []
