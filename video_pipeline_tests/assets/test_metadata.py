"""What people see of a processed video in Dagster, compared with the files themselves."""

from __future__ import annotations

import base64
import io
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from PIL import Image

from video_pipeline.media.image_products import Score
from video_pipeline.media.quality import CHECKS
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.assets.conftest import VIDEO, Processed


def indexed_scenes(processed: Processed) -> list[tuple[str, float]]:
    """Transition and complexity, by SQL."""
    with closing(sqlite3.connect(f"file:{processed.home / 'index.db'}?mode=ro", uri=True)) as index:
        return index.execute("SELECT transition, complexity FROM scenes ORDER BY number").fetchall()


def table(value: object) -> list[dict[str, Any]]:
    assert isinstance(value, dg.TableMetadataValue)
    return [dict(record.data) for record in value.records]


def jpeg(markdown: object) -> Image.Image:
    """The picture inside a metadata entry."""
    found = re.fullmatch(r"!\[[a-z ]+\]\(data:image/jpeg;base64,([A-Za-z0-9+/=]+)\)", str(markdown))
    assert found
    data = base64.b64decode(found[1], validate=True)
    assert len(data) <= 40_000
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "JPEG"
    picture.load()
    return picture


def media(processed: Processed) -> dict[str, Path]:
    """Track to its published file, as the index names them."""
    folder = processed.home / "store" / "videos" / VIDEO / "media"
    return {path.stem: path for path in folder.iterdir()}


def test_rungs_of_the_plan(processed: Processed) -> None:
    shown = processed.metadata("encoding_plan")
    rungs = table(shown["rungs"])
    assert [(row["rung"], row["width"], row["height"]) for row in rungs] == [
        ("h264-360p", 640, 360),
        ("h264-240p", 426, 240),
    ]
    assert all(row["ceiling Mbit/s"] > 0 for row in rungs)
    assert (shown["preset"], shown["frames"], shown["frame_rate"]) == ("draft", 100, 25)


def test_rung_table_and_encoding_figures(processed: Processed, tools: Tools) -> None:
    shown: dict[str, Any] = processed.metadata("renditions", "h264")
    rows = table(shown["table"])
    assert [(row["rung"], row["size"]) for row in rows] == [("h264-360p", "640x360"), ("h264-240p", "426x240")]
    for row in rows:
        [blob] = (processed.home / "store" / "blobs").rglob(f"{row['sha256']}*")
        assert blob.stat().st_size == row["bytes"]
        [stream] = ffprobe.streams(tools, blob)
        assert f"{stream['width']}x{stream['height']}" == row["size"]
        assert row["Mbit/s"] == pytest.approx(int(stream["bit_rate"]) / 1e6, rel=0.02, abs=0.001)
        assert row["peak Mbit/s"] >= row["Mbit/s"]
        assert row["bits/pixel"] == pytest.approx(
            8 * row["bytes"] / (stream["width"] * stream["height"] * 100), abs=1e-4
        )
    assert shown["bytes"] == sum(row["bytes"] for row in rows)
    assert shown["bits_per_pixel"] == pytest.approx(8 * shown["bytes"] / ((640 * 360 + 426 * 240) * 100), abs=1e-5)
    assert shown["encode_seconds"] > 0
    assert shown["realtime_factor"] == pytest.approx(4 / shown["encode_seconds"], abs=1e-3)
    assert (shown["rungs"], shown["rungs_from_checkpoints"]) == (2, 0)


@pytest.mark.parametrize(("family", "title"), [("hevc", "HEVC"), ("vp9", "VP9"), ("av1", "AV1")])
def test_families_that_are_not_planned(processed: Processed, family: str, title: str) -> None:
    assert processed.metadata("renditions", family) == {"rungs": 0, "note": f"{title} is not in this plan"}


def test_poster_and_contact_sheet(processed: Processed) -> None:
    shown = processed.metadata("thumbnails")
    poster = jpeg(shown["poster"])
    assert poster.width / poster.height == pytest.approx(640 / 360, rel=0.01)
    # Not one flat colour.
    assert len(set(poster.convert("L").resize((8, 8)).tobytes())) > 8
    release = processed.home / "store" / "videos" / VIDEO / "releases" / processed.release
    files = {path.name: path for path in (release / "thumbnails").iterdir()}
    rows = table(shown["table"])
    assert {row["file"] for row in rows} == files.keys()
    ranked = sorted((row for row in rows if row["rank"]), key=lambda row: row["rank"])
    candidates, rejected = shown["candidates"], shown["rejected"]
    assert isinstance(candidates, int)
    assert isinstance(rejected, int)
    assert [row["rank"] for row in ranked] == list(range(1, candidates + 2))
    assert shown["best_score"] == pytest.approx(ranked[0]["score"], abs=1e-3)
    assert shown["mean_score"] == pytest.approx(sum(row["score"] for row in ranked) / len(ranked), abs=1e-3)
    parts = table(shown["parts of the score"])
    assert [row["file"] for row in parts] == [row["file"] for row in rows]
    assert all(0 <= row[part] <= 1 for row in parts for part in Score.model_fields)
    assert all(row["why"] for row in rows)
    assert len(table(shown["why rejected"])) == min(20, rejected)
    assert jpeg(shown["contact sheet"]).height > 60
    assert shown["bytes"] == sum(path.stat().st_size for path in files.values())


def test_sprites_in_numbers(processed: Processed) -> None:
    """4 s: two tiles beside each other. The picture is small enough for a row of the event log."""
    shown = processed.metadata("sprites")
    assert len(str(shown["contact sheet"])) < 4 / 3 * 40_000 + 100
    assert jpeg(shown["contact sheet"]).size == (320, 90)
    release = processed.home / "store" / "videos" / VIDEO / "releases" / processed.release
    [sheet] = (release / "sprites").glob("*.jpg")
    numbers = {name: shown[name] for name in ("tiles", "sheets", "bytes", "interval_seconds", "quality")}
    assert numbers == {"tiles": 2, "sheets": 1, "bytes": sheet.stat().st_size, "interval_seconds": 2.0, "quality": 80}
    assert isinstance(shown["seconds"], float)


def test_scene_table(processed: Processed) -> None:
    """The clip has one cut, at 2 s."""
    shown = processed.metadata("content_analysis")
    rows = indexed_scenes(processed)
    hard = [{"complexity": complexity} for _, complexity in rows]
    assert [transition for transition, _ in rows] == ["start", "cut"]
    # Both last 2 s, so that their mean is the whole.
    assert sum(complexity for _, complexity in rows) == pytest.approx(2, abs=1e-3)
    assert shown["hardest_scene"] == max(complexity for _, complexity in rows)
    assert table(shown["table"]) == [
        {"scene": 0, "start s": 0.0, "end s": 2.0, "frames": 50, "begins with": "start", "over frames": 0} | hard[0],
        {"scene": 1, "start s": 2.0, "end s": 4.0, "frames": 50, "begins with": "cut", "over frames": 0} | hard[1],
    ]
    assert shown["suggested_chapters"] == 0
    assert isinstance(shown["loudness_lufs"], float)
    assert -40 < shown["loudness_lufs"] < -10


def test_sizes_of_what_is_published(processed: Processed) -> None:
    published = media(processed)
    shown = processed.metadata("streams")
    for row in table(shown["files"]):
        [path] = [path for name, path in published.items() if name.startswith(row["sha256"])]
        assert row["bytes"] == path.stat().st_size
    total = sum(path.stat().st_size for path in published.values())
    assert shown["bytes"] == total
    assert processed.metadata("metadata_index")["bytes"] == total


def test_release_says_where_to_play(processed: Processed) -> None:
    shown = processed.metadata("release")
    assert shown["release"] == processed.release
    for name in ("play (HLS)", "play (DASH)"):
        path = Path(str(shown[name]))
        assert path.is_file()
        assert path.is_relative_to(processed.home)


def test_checks_are_recorded(processed: Processed) -> None:
    rows = table(processed.metadata("quality_report")["table"])
    assert {row["check"]: row["passed"] for row in rows} == dict.fromkeys(CHECKS, True)
    with dg.DagsterInstance.from_config(str(processed.home / "dagster")) as instance:
        [run] = instance.get_runs()
        records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    found = {}
    for record in records:
        event = record.event_log_entry.asset_check_evaluation
        assert event is not None
        found[event.check_name] = event.passed
    assert found == dict.fromkeys(CHECKS, True)
    release = processed.home / "store" / "videos" / VIDEO / "releases" / processed.release
    written = json.loads((release / "quality.json").read_bytes())["checks"]
    assert [(check["name"], check["measured"]) for check in written] == [
        (row["check"], row["measured"]) for row in rows
    ]
