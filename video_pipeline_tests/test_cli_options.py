"""`video-pipeline process` with options: what is published is what was asked for, seen by other programs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import m3u8
import pytest
from PIL import Image, ImageChops, ImageStat

from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.processes import run

ASKED = ("--trim", "1.01:3", "--thumbnail-at", "0.5", "--thumbnail-at", "100%", "--poster", "50%", "--audio", "stereo")
SHOWN = {"at-01.jpg": 26 + 12, "at-02.jpg": 74, "poster.jpg": 26 + 24}
"""Picture to the frame of the source it shows: 25 frames/s, and the first that begins after 1.01 s is number 26."""


@pytest.fixture(scope="module")
def clip(make_clip: Callable[..., Path]) -> Path:
    return make_clip(seconds=4, size="320x240", cuts=False)


@pytest.fixture(scope="module")
def home(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the clip was processed; only for reading."""
    home = tmp_path_factory.mktemp("asked") / "home"
    done = run(home, "process", clip, "--preset", "draft", "--video-id", "v", *ASKED, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return home


@pytest.fixture(scope="module")
def release(home: Path) -> Path:
    return next((home / "store/videos/v/releases").iterdir())


def test_the_release_says_what_was_asked_for(release: Path) -> None:
    asked = json.loads((release / "release.json").read_bytes())["request"]
    assert asked["trim"] == {"start": 1.01, "end": 3}
    assert asked["thumbnailsAt"] == [0.5, "100%"]
    assert asked["poster"] == "50%"
    assert asked["audio"] == "stereo"
    assert "subtitles" not in asked


def test_pictures_and_sound_are_those_of_the_trim(tools: Tools, home: Path, release: Path) -> None:
    master = m3u8.load(str(release / "hls/master.m3u8"))
    for playlist in [*(one.uri for one in master.playlists), *(one.uri for one in master.media if one.uri)]:
        duration = sum(segment.duration for segment in m3u8.load(str(release / "hls" / playlist)).segments)
        assert duration == pytest.approx(49 / 25, abs=0.03)
    frames = [
        len(ffprobe.frames(tools, path))
        for path in (home / "store/videos/v/media").iterdir()
        if ffprobe.streams(tools, path)[0]["codec_type"] == "video"
    ]
    assert frames == [49] * len(master.playlists)
    last = (release / "sprites/sprites.vtt").read_text().rsplit(" --> ", 1)[1].splitlines()[0]
    assert last == "00:00:01.960"


@pytest.mark.parametrize("name", SHOWN)
def test_thumbnails_show_the_source_at_that_time(
    tools: Tools, clip: Path, release: Path, tmp_path: Path, name: str
) -> None:
    distances = {}
    for frame in (SHOWN[name] - 2, SHOWN[name], SHOWN[name] + 2):
        run_ffmpeg(tools, "-i", clip, "-vf", f"select=eq(n\\,{frame})", "-frames:v", "1", tmp_path / f"{frame}.png")
        with Image.open(tmp_path / f"{frame}.png") as source, Image.open(release / "thumbnails" / name) as ours:
            difference = ImageChops.difference(source.convert("RGB"), ours.convert("RGB"))
            distances[frame] = sum(ImageStat.Stat(difference).mean)
    assert min(distances, key=lambda frame: distances[frame]) == SHOWN[name]


def test_the_index_knows_them(home: Path) -> None:
    with closing(sqlite3.connect(home / "index.db")) as raw:
        rows = dict(raw.execute("SELECT name, time FROM thumbnails").fetchall())
        [(options,)] = raw.execute("SELECT options FROM requests").fetchall()
        [(duration,)] = raw.execute("SELECT duration FROM videos").fetchall()
    assert {name: round(time * 25) + 26 for name, time in rows.items() if name in SHOWN} == SHOWN
    assert json.loads(options)["trim"] == {"start": 1.01, "end": 3}
    assert duration == pytest.approx(1.96)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--trim", "3"), "trim: '3': write it as start:end in seconds, such as 1.5:10, 1.5: or :10"),
        (("--trim", "3:2"), "trim: end (2 s) must be after start (3 s)"),
        (("--trim", "a:2"), "trim.start: must be a number of seconds"),
        (("--thumbnail-at", "1", "--thumbnail-at", "-1"), "thumbnailsAt.1: must be from 0 to 86400 seconds"),
        (("--poster", "101%"), 'poster: must be a number of seconds, or per cent from "0%" to "100%"'),
        (("--trim", ":2", "--poster", "3"), "poster: 3 s is after the end; what is published is 2.000 s long"),
        (("--subtitles", "a.srt"), "subtitles: 'a.srt': write it as language=file, such as en=subtitles.srt"),
        (("--subtitles", "english!=a.srt"), "subtitles.0.language: must be a language tag of BCP 47"),
        (("--subtitles", "en=no.srt"), "subtitles.0.source /no.srt: no such file"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(clip: Path, tmp_path: Path, asked: tuple[str, ...], said: str) -> None:
    done = run(tmp_path / "home", "process", clip, "--preset", "draft", *asked, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    line: Any = done.stderr.removesuffix("\n")
    assert "\n" not in line
    assert said in line.replace(f"{Path.cwd()}/", "/")
