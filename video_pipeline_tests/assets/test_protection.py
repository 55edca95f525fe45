"""Protected videos through the whole graph: published encrypted, with a key that is found nowhere afterwards."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from video_pipeline import cli_process, settings
from video_pipeline.errors import DependencyError, PermanentError
from video_pipeline.home import prepare
from video_pipeline_tests import key_server
from video_pipeline_tests.key_server import KEY, KEY_ID, KeyServer

PASSWORD = "p4ssw0rd-of-the-key-server"
PRESET = """extends: draft
protection:
  scheme: {scheme}
  key_uri: https://keys.example/{{video_id}}
"""


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with key_server.running() as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: KeyServer) -> settings.Settings:
    (tmp_path / "presets").mkdir()
    for scheme in ("cbcs", "aes-128"):
        (tmp_path / "presets" / f"{scheme}.yaml").write_text(PRESET.format(scheme=scheme))
    monkeypatch.setenv("VIDEO_PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VIDEO_PIPELINE_PRESETS_DIR", str(tmp_path / "presets"))
    monkeypatch.setenv("VIDEO_PIPELINE_KEY_SERVER", server.url.replace("//", f"//me:{PASSWORD}@") + "/keys/{video_id}")
    return prepare(settings.load())


def files_with(root: Path, secret: bytes) -> list[str]:
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len(files) > 50
    return [str(path.relative_to(root)) for path in files if secret in path.read_bytes()]


def assert_found_nowhere(home: Path) -> None:
    raw = bytes.fromhex(KEY)
    in_base64 = (base64.b64encode(raw), base64.urlsafe_b64encode(raw)[:21])
    secrets = (PASSWORD.encode(), raw, KEY.encode(), KEY.upper().encode(), *in_base64)
    for secret in secrets:
        assert files_with(home, secret) == []
    assert files_with(home, KEY_ID.encode())  # so that the search can find something


def test_nothing_is_encoded_without_a_key(
    home: settings.Settings, clip: Path, server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.status = 503
    with pytest.raises(DependencyError, match=r"key server .* answers 503 for video-1"):
        cli_process.run(home, "video-1", source=str(clip), preset="cbcs")
    server.status = 404
    with pytest.raises(PermanentError, match="has no key for video-2"):
        cli_process.run(home, "video-2", source=str(clip), preset="cbcs")
    monkeypatch.delenv("VIDEO_PIPELINE_KEY_SERVER")
    with pytest.raises(DependencyError, match="there are no keys: set VIDEO_PIPELINE_KEY_FILE or"):
        cli_process.run(home, "video-3", source=str(clip), preset="cbcs")
    assert not (home.store / "videos").exists()
    assert not (home.store / "checkpoints" / "streams").exists()
    # What fails only behind the encoding has encoded.
    assert not list((home.store / "checkpoints").glob("*h264*"))


def test_whole_segments_take_dash_away(home: settings.Settings, clip: Path) -> None:
    """Nothing of a release in the clear stays at an address that players know."""
    video = home.store / "videos" / "film"
    cli_process.run(home, "film", source=str(clip), preset="draft")
    assert (video / "manifest.mpd").is_file()
    release = video / "releases" / cli_process.run(home, "film", source=str(clip), preset="aes-128")
    assert not (video / "manifest.mpd").exists()
    assert not (release / "dash").exists()
    clear = {path.name for path in (release / "hls").glob("*.m3u8") if "#EXT-X-KEY" not in path.read_text()}
    assert clear == {"master.m3u8", "sprites.m3u8"}
    assert_found_nowhere(home.home)


@pytest.mark.slow
def test_another_key_is_another_release(
    home: settings.Settings, clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = cli_process.run(home, "film", source=str(clip), preset="cbcs")
    folder = home.store / "videos" / "film" / "releases" / first
    assert KEY_ID in (folder / "dash" / "manifest.mpd").read_text().replace("-", "")
    report = json.loads((folder / "quality.json").read_text())
    assert "cbcs" in next(check["measured"] for check in report["checks"] if check["name"] == "protection")
    assert_found_nowhere(home.home)
    monkeypatch.delenv("VIDEO_PIPELINE_KEY_SERVER")
    keys = tmp_path / "keys.yaml"
    keys.write_text(f"'*':\n  key_id: {KEY_ID}\n  key: {'7' * 32}\n")
    monkeypatch.setenv("VIDEO_PIPELINE_KEY_FILE", str(keys))
    assert cli_process.run(home, "film", source=str(clip), preset="cbcs") != first
    keys.write_text(f"film:\n  key_id: {KEY_ID}\n  key: {KEY}\n")
    assert cli_process.run(home, "film", source=str(clip), preset="cbcs") == first
