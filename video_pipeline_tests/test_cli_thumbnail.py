"""`video-pipeline thumbnail`: what is kept, what is refused, and the job that shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click import UsageError
from click.testing import CliRunner
from PIL import Image

from video_pipeline.cli_thumbnail import thumbnail
from video_pipeline.errors import PermanentError
from video_pipeline.intake.bull import Bull
from video_pipeline.media.options import Options, Trim
from video_pipeline.settings import Settings
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
from video_pipeline_tests.test_cli_stack import command, refused


@pytest.fixture
def cover(tmp_path: Path) -> Path:
    Image.new("RGB", (64, 36), "#804020").save(tmp_path / "cover.png")
    return tmp_path / "cover.png"


def asked(settings: Settings, source: Path) -> None:
    """A video that is known."""
    index = Index(settings.index_url)
    index.upgrade()
    options = Options(trim=Trim(start=1), thumbnail="/gone.png")
    Requests(index).add(video_id="v", source=str(source), preset="draft", title="V", metadata={"a": 1}, options=options)


def test_a_job_shows_it(queue_settings: Settings, queue: Bull, tmp_path: Path, cover: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    asked(queue_settings, tmp_path / "a.mp4")
    done = command(queue_settings, "thumbnail", "v", cover)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{cover} is kept as the thumbnail of v; job 1 makes a release that shows it\n"
    job = queue.job("1")
    assert job is not None
    assert job.data == {
        "schemaVersion": 1,
        "source": str(tmp_path / "a.mp4"),
        "videoId": "v",
        "preset": "draft",
        "title": "V",
        "metadata": {"a": 1},
        "trim": {"start": 1},
    }
    kept = json.loads(command(queue_settings, "thumbnail", "v", "--json").stdout)["thumbnail"]
    assert (kept["source"], kept["bytes"]) == (str(cover), cover.stat().st_size)

    done = command(queue_settings, "thumbnail", "v", "--remove", "--no-release", "--json")
    assert json.loads(done.stdout) == {"videoId": "v", "removed": True, "jobId": None}
    assert queue.job("2") is None
    assert refused(queue_settings, "thumbnail", "v", "--remove") == "video v has no thumbnail of its own to remove"


def test_without_a_queue_it_waits_for_the_next_release(
    queue_settings: Settings, tmp_path: Path, cover: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(queue_settings, tmp_path / "a.mp4")
    monkeypatch.setenv("VIDEO_PIPELINE_HOME", str(queue_settings.home))
    start = f"{cover} is kept as the thumbnail of v; it shows with the next release, as no job can be submitted now: "
    assert typed("v", str(cover)).startswith(f"{start}no stack runs on ")
    monkeypatch.setenv("VIDEO_PIPELINE_REDIS_URL", str(queue_settings.redis_url))
    assert typed("v", str(cover)) == f"{start}source {tmp_path}/a.mp4: no such file\n"


def typed(*arguments: str) -> str:
    """What it prints, run here."""
    done = CliRunner().invoke(thumbnail, arguments, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["w", "cover.png"], r"^video w is not known: nothing was ever asked for it; submit it first"),
        (["W", "cover.png"], r"^videoId 'W': use 1 to 63 of"),
        (["v", "no.png"], r"^thumbnail /.*/no\.png: no such file"),
        (["v", "."], r"^thumbnail /.*: is a directory"),
        (["v", "http://a/b.png"], r"^thumbnail http://a/b\.png: http:// cannot be read; give a path or file://"),
        (["v", "bad.png"], r"^thumbnail /.*/bad\.png: is no picture; give JPEG, PNG"),
    ],
)
def test_slips_are_one_sentence_each_and_change_nothing(
    queue_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    asked(queue_settings, tmp_path / "a.mp4")
    (tmp_path / "bad.png").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIDEO_PIPELINE_HOME", str(queue_settings.home))
    with pytest.raises(PermanentError, match=sentence):
        typed(*arguments)
    assert json.loads(typed("v", "--json"))["thumbnail"] is None
    assert not (queue_settings.store / "blobs").exists()


def test_a_picture_and_its_removal_make_no_sense(cover: Path) -> None:
    with pytest.raises(UsageError, match="give a PICTURE, or --remove"):
        typed("v", str(cover), "--remove")
