"""What people type for the commands around the stack: every slip is one sentence, and nothing is enqueued."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from video_pipeline.intake.bull import Bull
from video_pipeline.settings import Settings
from video_pipeline_tests.processes import run

NO_UTF8 = os.fsdecode(b"\xff")


def command(settings: Settings, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run(
        settings.home,
        *arguments,
        VIDEO_PIPELINE_REDIS_URL=str(settings.redis_url),
        VIDEO_PIPELINE_QUEUE=settings.queue,
        VIDEO_PIPELINE_KEY_PREFIX=settings.key_prefix,
    )


def refused(settings: Settings, *arguments: str | Path) -> str:
    done = command(settings, *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    [line] = done.stderr.splitlines()
    return line.removeprefix("video-pipeline: ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["status", NO_UTF8], r"videoId '\udcff': use 1 to 63 of"),
        (["status", "My Video"], "videoId 'My Video': use 1 to 63 of"),
        (["status", ""], "videoId '': use 1 to 63 of"),
        (["status", "nobody"], "video nobody is not known"),
        (["cancel", NO_UTF8], r"no job of '\udcff' waits or runs"),
        (["cancel", "nobody"], "no job of nobody waits or runs"),
        (["drain", NO_UTF8], r"no worker is called '\udcff'; there is none"),
    ],
)
def test_ids_that_are_none(queue_settings: Settings, arguments: list[str], sentence: str) -> None:
    assert refused(queue_settings, *arguments).startswith(sentence)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--meta", "x=1e999", "metadata: cannot be written as JSON: "),
        ("--meta", f"x={NO_UTF8}", "metadata: cannot be written as JSON: it has text that is not UTF-8"),
        ("--meta", 'x={"\\ud83d": 1}', "metadata: cannot be written as JSON: it has text that is not UTF-8"),
        ("--meta", f"x={'[' * 500 + ']' * 500}", "metadata: is nested more than 64 levels deep"),
        ("--title", NO_UTF8, "title: cannot be written as JSON: it has text that is not UTF-8"),
        ("--trim", NO_UTF8, r"trim: '\udcff': write it as start:end in seconds"),
        ("--poster", "1e999", "poster: must be from 0 to 86400 seconds"),
        (
            "--subtitles",
            f"en={NO_UTF8}",
            "subtitles.0.source: cannot be written as JSON: it has text that is not UTF-8",
        ),
        ("--subtitles", "en=/gone.srt", "subtitles.0.source /gone.srt: no such file"),
    ],
)
def test_fields_that_no_queue_can_hold(
    queue_settings: Settings, queue: Bull, tmp_path: Path, option: str, value: str, sentence: str
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    assert refused(queue_settings, "submit", tmp_path / "a.mp4", option, value).startswith(sentence)
    assert sum(queue.counts().values()) == 0


def test_a_custom_field_that_only_begins_like_json(queue_settings: Settings, queue: Bull, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    done = command(queue_settings, "submit", tmp_path / "a.mp4", "--meta", f"x={'[' * 100_000}")
    assert (done.returncode, done.stderr) == (0, "")
    job = queue.job("1")
    assert job is not None
    assert job.data["metadata"] == {"x": "[" * 100_000}


def test_options_stand_in_the_job_as_any_producer_writes_them(
    queue_settings: Settings, queue: Bull, tmp_path: Path
) -> None:
    for name in ("a.mp4", "a.srt", "a.jpg"):
        (tmp_path / name).write_bytes(b"x")
    asked = ["--trim", "1.5:10", "--thumbnail-at", "0", "--thumbnail-at", "50%", "--poster", "0", "--audio", "none"]
    asked += ["--thumbnail", f"{tmp_path}/a.jpg"]
    done = command(queue_settings, "submit", tmp_path / "a.mp4", *asked, "--subtitles", f"pt-BR={tmp_path}/a.srt")
    assert (done.returncode, done.stderr) == (0, "")
    job = queue.job("1")
    assert job is not None
    assert {name: value for name, value in job.data.items() if name not in ("schemaVersion", "source", "videoId")} == {
        "trim": {"start": 1.5, "end": 10},
        "thumbnailsAt": [0, "50%"],
        "poster": 0,
        "thumbnail": f"{tmp_path}/a.jpg",
        "audio": "none",
        "subtitles": [{"source": f"{tmp_path}/a.srt", "language": "pt-BR"}],
    }
