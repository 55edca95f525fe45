from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest
import yaml

from video_pipeline.errors import DiskFull, HomeError
from video_pipeline.home import prepare
from video_pipeline.settings import PROJECT, Settings


def settings(home: Path) -> Settings:
    return Settings(home=home)


def test_makes_it_with_dagster_s_configuration(tmp_path: Path) -> None:
    ours = settings(tmp_path / "a" / "b")
    assert prepare(ours) is ours
    assert [path.name for path in ours.home.iterdir()] == ["dagster"]
    link = ours.home / "dagster" / "dagster.yaml"
    assert link.resolve() == PROJECT / "dagster.yaml"
    assert yaml.safe_load(link.read_text())["run_launcher"]["class"] == "VideoRunLauncher"


def test_again_changes_nothing(tmp_path: Path) -> None:
    ours = prepare(settings(tmp_path))
    link = ours.dagster_home / "dagster.yaml"
    before = link.lstat().st_ino
    prepare(ours)
    assert link.lstat().st_ino == before
    assert [path.name for path in ours.dagster_home.iterdir()] == ["dagster.yaml"]


@pytest.mark.parametrize("kind", ["file", "link to another checkout", "broken link"])
def test_what_lay_there_is_replaced(tmp_path: Path, kind: str) -> None:
    ours = settings(tmp_path)
    ours.dagster_home.mkdir()
    link = ours.dagster_home / "dagster.yaml"
    if kind == "file":
        link.write_text("telemetry: {enabled: true}\n")
    elif kind == "broken link":
        link.symlink_to(tmp_path / "gone")
    else:
        (tmp_path / "other.yaml").write_text("telemetry: {enabled: true}\n")
        link.symlink_to(tmp_path / "other.yaml")
    prepare(ours)
    assert link.resolve() == PROJECT / "dagster.yaml"
    assert [path.name for path in ours.dagster_home.iterdir()] == ["dagster.yaml"]


def test_a_name_that_a_killed_process_left_is_in_nobody_s_way(tmp_path: Path) -> None:
    """Process ids come again."""
    ours = settings(tmp_path)
    ours.dagster_home.mkdir()
    (ours.dagster_home / f".dagster.yaml-{os.getpid()}").symlink_to("gone")
    prepare(ours)
    assert (ours.dagster_home / "dagster.yaml").resolve() == PROJECT / "dagster.yaml"
    assert [path.name for path in ours.dagster_home.iterdir()] == ["dagster.yaml"]


def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match="set VIDEO_PIPELINE_HOME to one that can be written") as caught:
        prepare(settings(tmp_path / "file" / "home"))
    assert f"state directory {tmp_path}/file/home cannot be used (Not a directory)" in str(caught.value)


def test_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(HomeError, match=f"state directory {tmp_path}/home cannot be used"):
        prepare(settings(tmp_path / "home"))


@pytest.mark.parametrize(
    ("number", "expected", "said"),
    [
        (errno.EROFS, HomeError, "Read-only file system"),
        (errno.EACCES, HomeError, "Permission denied"),
        (errno.ENOSPC, DiskFull, "no space left on device"),
        (errno.EDQUOT, DiskFull, "no space left on device"),
        # Whatever else the system says: it is the directory that cannot be used, and which must be named.
        (errno.EIO, HomeError, "Input/output error"),
    ],
)
def test_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception], said: str
) -> None:
    """As root every directory can be written, so the system's answer is given here."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path / ".write-test-x"))

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    with pytest.raises(expected, match=said) as caught:
        prepare(settings(tmp_path))
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", ["what?", "100%"])
def test_name_that_a_database_address_cannot_hold(tmp_path: Path, name: str) -> None:
    with pytest.raises(HomeError, match="VIDEO_PIPELINE_HOME"):
        prepare(Settings(home=tmp_path / name))
    assert list(tmp_path.iterdir()) == []
