from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline.stores.index import Index
from video_pipeline.stores.videos import replace_video
from video_pipeline_tests.stores.records import record, rendition

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `video-pipeline` with a home of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from video_pipeline.cli import main; main()", *arguments],
            env={"VIDEO_PIPELINE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def library(tmp_path: Path) -> Index:
    index = Index(f"sqlite:///{tmp_path / 'index.db'}")
    index.upgrade()
    replace_video(index, record("bunny", metadata={"customer": "acme", "code": "007"}))
    replace_video(index, record("creme", title="Crème\x1b[31m", renditions=(rendition("hevc", 3840, 2160),)))
    return index


def test_search_as_a_table(run: Run, library: Index) -> None:
    done = run("search", "creme")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["video", "title", "height", "codecs", "seconds", "found"]
    assert lines[2].split()[:2] == ["creme", "Crème"]
    assert "2160" in lines[2]
    assert len(lines) == 3
    assert "\x1b" not in done.stdout


def test_search_as_json(run: Run, library: Index) -> None:
    done = run("search", "--json")
    assert [json.loads(line)["video_id"] for line in done.stdout.splitlines()] == ["creme", "bunny"]
    done = run("search", "buck", "bunny", "--codec", "h264", "--min-height", "720", "--where", "code=007", "--json")
    [hit] = [json.loads(line) for line in done.stdout.splitlines()]
    assert (hit["video_id"], hit["height"], hit["codecs"]) == ("bunny", 720, ["aac", "h264"])


def test_nothing_found(run: Run, library: Index) -> None:
    done = run("search", "buck", "--where", "customer=other")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "nothing found\n")


def test_where_needs_key_and_value(run: Run, library: Index) -> None:
    done = run("search", "--where", "customer")
    assert done.returncode == 2
    assert "'customer' is not key=value" in done.stderr


def test_sql_as_a_table(run: Run, library: Index) -> None:
    done = run("sql", "SELECT video_id, value, position FROM custom_fields ORDER BY value")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "video_id    value      position",
        "----------  -------  ----------",
        "bunny       007               0",
        "bunny       acme              0",
    ]
    assert run("sql", "SELECT video_id FROM videos WHERE 0").stdout.split() == ["video_id", "----------"]


def test_a_long_text_does_not_widen_the_table(run: Run, library: Index) -> None:
    out = run("sql", "SELECT hex(zeroblob(5000)) AS t, 1 AS n").stdout
    assert max(map(len, out.splitlines())) < 200
    assert "…" in out


def test_sql_as_json(run: Run, library: Index) -> None:
    done = run("sql", "--json", "SELECT video_id, duration, NULL AS x, x'ff' AS raw FROM videos ORDER BY 1 LIMIT 1")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"video_id": "bunny", "duration": 4.0, "x": None, "raw": "ff"}
    ]


def test_sql_cannot_write(run: Run, library: Index) -> None:
    done = run("sql", "DELETE FROM videos")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "video-pipeline: SQL: only reading is allowed (not authorized); write a SELECT\n"
    assert json.loads(run("sql", "--json", "SELECT count(*) AS n FROM videos").stdout) == {"n": 2}


@pytest.mark.parametrize("command", [("search", "x"), ("sql", "SELECT 1")])
def test_no_index_yet(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(*command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"video-pipeline: there is no index at {tmp_path}/index.db yet; process or submit a video first\n"
    )
    assert list(tmp_path.iterdir()) == []
