"""Levels of the sound and the MP4 for download, from the run to the release, the index and the UI."""

from __future__ import annotations

import base64
import io
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from video_pipeline import cli_process
from video_pipeline.media.tools import Tools
from video_pipeline.settings import Settings
from video_pipeline_tests import ffprobe
from video_pipeline_tests.assets.conftest import VIDEO, Processed
from video_pipeline_tests.stores.drafts import assert_whole


def directory(home: Path, video_id: str = VIDEO) -> Path:
    return home / "store" / "videos" / video_id


def row(home: Path, video_id: str = VIDEO) -> dict[str, Any]:
    with closing(sqlite3.connect(home / "index.db")) as index:
        index.row_factory = sqlite3.Row
        return dict(index.execute("SELECT * FROM videos WHERE video_id = ?", [video_id]).fetchone())


def test_levels_are_published_and_indexed(processed: Processed) -> None:
    place, indexed = directory(processed.home), row(processed.home)
    levels = json.loads((place / "releases" / processed.release / "audio" / "loudness.json").read_bytes())
    curve = levels["curve"]
    assert curve["seconds_per_point"] == 0.1
    assert len(curve["momentary"]) == len(curve["short_term"]) == 40
    # A steady tone: no window of it is louder than another.
    assert [value for value in curve["momentary"] if value] == pytest.approx([levels["integrated"]] * 37, abs=0.3)
    assert levels["momentary_max"] == max(value for value in curve["momentary"] if value is not None)
    names = {"integrated": "loudness", "range": "loudness_range"}
    for name in ("integrated", "range", "true_peak", "momentary_max", "short_term_max"):
        assert indexed[names.get(name, name)] == levels[name] is not None, name
    waveform = place / indexed["waveform_path"]
    assert waveform.stat().st_size == indexed["waveform_bytes"]
    drawn = json.loads(waveform.read_bytes())
    assert drawn["length"] * 2 == len(drawn["data"]) == 800
    # The tone is an eighth of full scale in one channel, 3 dB less in each of two.
    assert drawn["data"][400:420:2] == pytest.approx([-16 / 2**0.5] * 10, abs=1)
    analysis = json.loads((waveform.parent.parent / "metadata.json").read_bytes())["analysis"]
    assert analysis["loudness"]["momentary_max"] == levels["momentary_max"]
    assert "curve" not in analysis["loudness"]


def test_levels_are_seen(processed: Processed) -> None:
    shown = processed.metadata("content_analysis")
    title, _, data = str(shown["levels"]).rstrip(")").partition("](data:image/png;base64,")
    assert title == "![levels"
    with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as picture:
        assert len(picture.convert("RGB").getcolors() or []) > 5
    assert len(data) < 40_000
    indexed = row(processed.home)
    assert shown["loudness_lufs"] == indexed["loudness"]
    assert shown["momentary_max_lufs"] == indexed["momentary_max"]
    assert shown["short_term_max_lufs"] == indexed["short_term_max"]


def test_no_download_unless_the_preset_asks(processed: Processed) -> None:
    assert processed.metadata("download") == {"note": "the preset asks for no download"}
    release = directory(processed.home) / "releases" / processed.release / "release.json"
    assert json.loads(release.read_bytes())["download"] is None
    indexed = row(processed.home)
    assert (indexed["download_path"], indexed["download_bytes"]) == (None, None)


def test_a_download_beside_the_streams(
    processed: Processed, own_home: Settings, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From what is encoded already: all of it comes from checkpoints."""
    for name in ("blobs", "checkpoints"):
        shutil.copytree(processed.home / "store" / name, own_home.store / name)
    (tmp_path / "mine.yaml").write_text("extends: draft\ndownload: 300\n")
    monkeypatch.setenv("VIDEO_PIPELINE_PRESETS_DIR", str(tmp_path))
    release = cli_process.run(own_home, VIDEO, source=str(processed.clip), preset="mine")
    place, indexed = directory(own_home.home), row(own_home.home)
    written = json.loads((place / "releases" / release / "release.json").read_bytes())
    made = place / "releases" / release / written["download"]
    assert made.resolve() == (place / indexed["download_path"]).resolve()
    assert made.stat().st_size == indexed["download_bytes"]
    assert_whole(own_home.store, VIDEO)
    assert [stream.get("height") for stream in ffprobe.streams(tools, made)] == [240, None]
    checks = json.loads((place / "releases" / release / "quality.json").read_bytes())["checks"]
    [check] = [check for check in checks if check["name"] == "download"]
    assert check["measured"] == "100 frames of h264-240p, with sound, 4.000 s, the index before the data"


def test_a_video_without_sound_has_no_levels(make_clip: Callable[..., Path], own_home: Settings) -> None:
    clip = make_clip("silent.mp4", seconds=1, size="160x90", audio=False, cuts=False)
    release = cli_process.run(own_home, "silent", source=str(clip), preset="draft")
    assert not (directory(own_home.home, "silent") / "releases" / release / "audio").exists()
    indexed = row(own_home.home, "silent")
    for name in ("loudness", "momentary_max", "short_term_max", "true_peak", "waveform_path", "waveform_bytes"):
        assert indexed[name] is None, name
    found = Processed(own_home.home, clip, release)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("video_pipeline_tests.assets.conftest.VIDEO", "silent")
        shown = found.metadata("content_analysis")
    assert shown["sound"] == "the video has no sound"
    assert "levels" not in shown
