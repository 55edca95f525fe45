"""A picture of one's own as the poster: what is published, and for how long."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from video_pipeline import cli_process
from video_pipeline.errors import SourceError
from video_pipeline.media.options import NO_PICTURE, Options
from video_pipeline.media.tools import Tools
from video_pipeline.settings import Settings
from video_pipeline.stores import budget
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.assets.conftest import VIDEO, Processed
from video_pipeline_tests.media.release import run_ffmpeg

SIZE = (320, 180)


def photo(path: Path) -> Path:
    """Blocks of chance colours, taller than wide; stored on its side, as a phone does."""
    blocks = np.random.default_rng(3).integers(0, 256, (8, 6, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = Image.fromarray(blocks).resize((480, 640), Image.Resampling.BICUBIC)
    upright.transpose(Image.Transpose.ROTATE_90).save(path, quality=95, exif=exif)
    return path


def distance(one: Path, other: Path) -> float:
    """Of 255, the mean."""
    with Image.open(one) as first, Image.open(other) as second:
        assert first.size == second.size == SIZE
        return max(ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second.convert("RGB"))).mean)


def pictures(ours: Settings, release: str) -> Path:
    return ours.store / "videos" / VIDEO / "releases" / release / "thumbnails"


def rows(ours: Settings, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(ours.home / "index.db")) as raw:
        return raw.execute(query).fetchall()


def test_it_is_the_poster_until_it_is_removed(
    tools: Tools, make_clip: Callable[..., Path], tmp_path: Path, own_home: Settings
) -> None:
    def process(seconds: float, thumbnail: str | None = None) -> str:
        clip = make_clip(f"{seconds}.mp4", seconds=seconds)
        options = Options(thumbnail=thumbnail)
        return cli_process.run(own_home, VIDEO, source=str(clip), preset="draft", options=options)

    cover, store = photo(tmp_path / "cover.jpg"), LocalStore(own_home.store)
    brought = cover.read_bytes()
    # By other means: ffmpeg turns it, too.
    run_ffmpeg(tools, "-i", cover, "-vf", "crop=iw:iw*9/16,scale=320:180:flags=lanczos", tmp_path / "due.png")
    release = process(2, str(cover))
    assert distance(pictures(own_home, release) / "poster.jpg", tmp_path / "due.png") < 4
    assert str(cover) in str(Processed(own_home.home, cover, release).metadata("source")["thumbnail"])
    named = "SELECT name, kind, frame IS NULL FROM thumbnails WHERE name IN ('poster.jpg', 'chosen.jpg') ORDER BY name"
    assert rows(own_home, named) == [("chosen.jpg", "poster", 0), ("poster.jpg", "custom", 1)]
    assert rows(own_home, "SELECT poster_path FROM videos") == [(f"releases/{release}/thumbnails/poster.jpg",)]
    listed = json.loads((pictures(own_home, release).parent / "release.json").read_bytes())["files"]
    assert {"thumbnails/poster.jpg", "thumbnails/chosen.jpg"} <= {file["path"] for file in listed}

    # A new version of the video, without the field, and without the file.
    cover.unlink()
    newer = process(3)
    assert newer != release
    assert any(store.get_bytes(key) == brought for key in store.list("blobs/"))
    poster = pictures(own_home, newer) / "poster.jpg"
    assert distance(poster, tmp_path / "due.png") < 4
    assert distance(poster, pictures(own_home, newer) / "chosen.jpg") > 20

    # Gone, and the frame is back; nothing of them stays once nobody needs it.
    last = process(3, NO_PICTURE)
    assert not (pictures(own_home, last) / "chosen.jpg").exists()
    frames = [pictures(own_home, one) / name for one, name in ((last, "poster.jpg"), (newer, "chosen.jpg"))]
    assert frames[0].read_bytes() == frames[1].read_bytes()
    assert rows(own_home, "SELECT count(*) FROM thumbnails WHERE kind = 'custom'") == [(0,)]
    assert budget.evict(store, 0) is not None
    assert all(store.get_bytes(key) != brought for key in store.list("blobs/"))


def test_a_file_that_is_no_picture_stops_it_at_once(clip: Path, own_home: Settings) -> None:
    options = Options(thumbnail=str(clip))
    with pytest.raises(SourceError, match=rf"^thumbnail {clip}: is no picture; give JPEG, PNG, "):
        cli_process.run(own_home, VIDEO, source=str(clip), preset="draft", options=options)
    with dg.DagsterInstance.from_config(str(own_home.dagster_home)) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey("source")) is None
