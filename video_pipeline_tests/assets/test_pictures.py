"""What a video with forms of its pictures and a preview publishes, and what release.json and the index say of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from PIL import Image

from video_pipeline import cli_process, settings
from video_pipeline.media.tools import Tools
from video_pipeline.settings import Settings
from video_pipeline_tests import ffprobe
from video_pipeline_tests.assets.test_metadata import jpeg, table

VIDEO = "pictured"
PRESET = "extends: draft\nimages: {widths: [160], formats: [webp], preview: {seconds: 3, width: 240}}\n"
PIXELS = {"image/jpeg": "JPEG", "image/webp": "WEBP"}


def test_pictures_and_preview_are_published_and_listed(
    own_home: Settings, make_clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tools: Tools
) -> None:
    (own_home.home / "presets").mkdir()
    (own_home.home / "presets" / "mine.yaml").write_text(PRESET)
    monkeypatch.setenv("VIDEO_PIPELINE_PRESETS_DIR", str(own_home.home / "presets"))
    ours = settings.load()
    clip = make_clip("seen.mp4", seconds=4, size="640x360")
    release = cli_process.run(ours, VIDEO, source=str(clip), preset="mine", title=None)
    video = ours.store / "videos" / VIDEO
    place = video / "releases" / release
    written = json.loads((place / "release.json").read_text())
    poster, *others = written["pictures"]
    assert poster["path"] == "thumbnails/poster.jpg"
    assert (poster["kind"], {one["kind"] for one in others}) == ("poster", {"candidate"})
    assert poster["srcset"] == {
        "image/jpeg": "thumbnails/poster-160.jpg 160w, thumbnails/poster.jpg 640w",
        "image/webp": "thumbnails/poster-160.webp 160w, thumbnails/poster.webp 640w",
    }
    published = {file["path"] for file in written["files"]}
    for one in written["pictures"]:
        assert len(one["files"]) == 4
        for file in one["files"]:
            assert file["path"] in published
            with Image.open(place / file["path"]) as picture:
                assert (picture.format, picture.size) == (PIXELS[file["type"]], (file["width"], file["height"]))
        for type, srcset in one["srcset"].items():
            for candidate in srcset.split(", "):
                path, width = candidate.split(" ")
                with Image.open(place / path) as picture:
                    assert (picture.format, f"{picture.width}w") == (PIXELS[type], width)
    _clip(tools, place, json.loads((place / "metadata.json").read_text())["preview"])
    _index(own_home, video, poster, len(written["pictures"]))
    _shown(own_home)
    # Nothing is made again.
    before = sorted((ours.store / "checkpoints").rglob("*.json"))
    assert cli_process.run(ours, VIDEO, source=str(clip), preset="mine", title=None) == release
    assert sorted((ours.store / "checkpoints").rglob("*.json")) == before
    assert "preview" in {path.parent.name for path in before}


def _clip(tools: Tools, place: Path, about: dict[str, Any]) -> None:
    [stream] = ffprobe.streams(tools, place / "preview/preview.mp4")
    assert (stream["codec_type"], stream["width"], stream["height"]) == ("video", 240, 136)
    assert float(stream["duration"]) == pytest.approx(3)
    assert sum(end - start for start, end in about["parts"]) == 75
    with Image.open(place / "preview/preview.webp") as animation:
        assert (animation.format, animation.size, animation.is_animated) == ("WEBP", (240, 136), True)


def _index(home: Settings, video: Path, poster: dict[str, Any], pictures: int) -> None:
    with closing(sqlite3.connect(home.home / "index.db")) as index:
        columns = "poster_path, thumbhash, preview_path, preview_bytes"
        [row] = index.execute(f"SELECT {columns} FROM videos").fetchall()
        assert (video / row[0]).name == "poster.jpg"
        assert row[1] == poster["thumbhash"]
        assert (video / row[2]).stat().st_size == row[3]
        found = index.execute("SELECT thumbnail, name, format, width, bytes FROM pictures").fetchall()
        hashes = index.execute("SELECT count(DISTINCT thumbhash) FROM thumbnails").fetchone()
    assert len(found) == 4 * pictures
    assert ("poster.jpg", "poster-160.webp", "webp", 160) in {row[:4] for row in found}
    assert hashes == (pictures,)


def _shown(home: Settings) -> None:
    with dg.DagsterInstance.from_config(str(home.home / "dagster")) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["preview"]))
    assert event is not None
    assert event.asset_materialization is not None
    shown = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert jpeg(shown["first picture"]).size == (240, 136)
    assert sum(row["end s"] - row["start s"] for row in table(shown["parts"])) == pytest.approx(3)
    assert (shown["size"], shown["clip_seconds"]) == ("240x136", 3.0)
