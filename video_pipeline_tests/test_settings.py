from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from video_pipeline import settings
from video_pipeline.errors import RequestError


def test_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIDEO_PIPELINE_HOME", str(tmp_path / "h"))
    monkeypatch.setenv("VIDEO_PIPELINE_WORKER_SLOTS", "3")
    ours = settings.load()
    assert (ours.home, ours.worker_slots, ours.scratch) == (tmp_path / "h", 3, tmp_path / "h" / "scratch")


def test_a_change_of_the_environment_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VIDEO_PIPELINE_HOME", "here")
    monkeypatch.chdir(tmp_path)
    assert settings.load().home == tmp_path / "here"
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert settings.load().home == tmp_path / "below" / "here"
    monkeypatch.setenv("video_pipeline_home", str(tmp_path))
    monkeypatch.delenv("VIDEO_PIPELINE_HOME")
    assert settings.load().home == tmp_path


def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEO_PIPELINE_WORKER_SLOTS", "many")
    with pytest.raises(RequestError, match="VIDEO_PIPELINE_WORKER_SLOTS"):
        settings.load()


def test_children_see_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = settings.load(home=tmp_path, redis_url="redis://127.0.0.1:1/0")
    for name, value in ours.environment().items():
        monkeypatch.setenv(name, value)
    assert settings.load() == ours


def test_frozen() -> None:
    with pytest.raises(ValidationError):
        settings.load().home = Path("/")
