"""`video-pipeline process` as a command: what it prints, publishes and records, and what it does not do twice."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import m3u8
import pytest
from lxml import etree

from video_pipeline.media.quality import CHECKS
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.processes import files_below, processes, run

Done = subprocess.CompletedProcess[str]
OPTIONS = ("--preset", "draft", "--video-id", "small-clip", "--title", "A small clip")


@pytest.fixture(scope="module")
def small(make_clip: Callable[..., Path]) -> Path:
    return make_clip(seconds=3, size="320x240", cuts=False)


@pytest.fixture(scope="module")
def first(small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A home and what the command that filled it printed; only for reading."""
    home = tmp_path_factory.mktemp("first") / "home"
    return home, run(home, "process", small, *OPTIONS, "--json")


@pytest.fixture(scope="module")
def second(small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """The same in another place, with progress."""
    home = tmp_path_factory.mktemp("second") / "home"
    return home, run(home, "process", small, *OPTIONS)


@pytest.fixture(scope="module")
def release(first: tuple[Path, Done]) -> Path:
    return Path(json.loads(first[1].stdout)["release"])


def rows(home: Path, query: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{home / 'index.db'}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(home: Path) -> dict[str, str]:
    """Of everything that is published, and of the blobs it was published from."""
    store = home / "store"
    return {str(path.relative_to(store)): sha256(path) for path in files_below(store / "videos", store / "blobs")}


def test_prints_one_line(first: tuple[Path, Done]) -> None:
    home, done = first
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    printed = json.loads(done.stdout)
    assert printed.keys() == {"videoId", "releaseId", "release"}
    assert printed["videoId"] == "small-clip"
    assert printed["release"] == f"{home}/store/videos/small-clip/releases/{printed['releaseId']}"
    assert Path(printed["release"]).is_dir()
    pointer = json.loads((home / "store/videos/small-clip/current.json").read_bytes())
    assert (pointer["releaseId"], pointer["sequence"]) == (printed["releaseId"], 1)


def test_progress_goes_to_standard_error(second: tuple[Path, Done]) -> None:
    _, done = second
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    told = [line.split() for line in done.stderr.splitlines()]
    assert {words[2] for words in told} >= {"source", "renditions/h264", "streams", "quality_report", "release"}
    percent = [float(words[0]) for words in told]
    assert percent == sorted(percent)
    assert percent[-1] == 100


def test_nothing_is_left_over(first: tuple[Path, Done]) -> None:
    home, _ = first
    assert list((home / "scratch").iterdir()) == []
    assert files_below(home / "store" / ".tmp") == []
    assert processes(home) == []


def assert_references(playlist: Path) -> set[Path]:
    """Follows a master to the last file it names; every range lies inside its file. Returns those files."""
    master = m3u8.load(str(playlist))
    entries = [*master.media, *master.playlists, *master.iframe_playlists]
    named = set()
    for entry in entries:
        below = playlist.parent / entry.uri
        listed = m3u8.load(str(below))
        assert listed.is_endlist
        assert sum(segment.duration for segment in listed.segments) == pytest.approx(3, abs=0.05)
        for piece in (*listed.segments, *listed.segment_map):
            file = (below.parent / piece.uri).resolve(strict=True)
            length, _, offset = piece.byterange.partition("@")
            assert int(offset) + int(length) <= file.stat().st_size
            named.add(file)
    assert {entry.stream_info.resolution for entry in master.playlists} == {(320, 240)}
    return named


def test_hls_leads_to_files(first: tuple[Path, Done], release: Path, tools: Tools) -> None:
    media = set(files_below(first[0] / "store/videos/small-clip/media"))
    assert len(media) == 2
    assert assert_references(release / "hls/master.m3u8") == media
    stable = release.parent.parent / "master.m3u8"
    assert assert_references(stable) == media
    times = ffprobe.times(tools, stable)
    assert len(times) == 75
    assert times[-1] - times[0] == Fraction(74, 25)


def test_dash_leads_to_files(first: tuple[Path, Done], release: Path) -> None:
    media = set(files_below(first[0] / "store/videos/small-clip/media"))
    for manifest in (release / "dash/manifest.mpd", release.parent.parent / "manifest.mpd"):
        bases = etree.parse(str(manifest)).iterfind(".//{*}BaseURL")
        assert {(manifest.parent / str(base.text)).resolve(strict=True) for base in bases} == media


def test_every_address_leads_to_the_sprites(first: tuple[Path, Done], release: Path) -> None:
    stable = release.parent.parent
    sheet = release / "sprites/sheet-000.jpg"
    for playlist in (release / "hls/master.m3u8", stable / "master.m3u8", stable / "plain.m3u8"):
        [images] = m3u8.load(str(playlist)).image_playlists
        [named] = m3u8.load(str(playlist.parent / images.uri)).segments
        assert (playlist.parent / images.uri).parent.joinpath(named.uri).resolve(strict=True) == sheet
        assert named.duration == 3
    for manifest in (release / "dash/manifest.mpd", stable / "manifest.mpd"):
        [template] = etree.parse(str(manifest)).iterfind(".//{*}SegmentTemplate")
        media = template.attrib["media"].replace("$Number%03d$", "000")
        assert (manifest.parent / media).resolve(strict=True) == sheet


def test_release_json_lists_every_file(first: tuple[Path, Done], release: Path, small: Path) -> None:
    document = json.loads((release / "release.json").read_bytes())
    assert document["releaseId"] == release.name
    assert (document["source"]["sha256"], document["source"]["size"]) == (sha256(small), small.stat().st_size)
    listed = {(release / file["path"]).resolve(strict=True): file for file in document["files"]}
    media = first[0] / "store/videos/small-clip/media"
    assert listed.keys() == set(files_below(release, media)) - {release / "release.json"}
    for path, file in listed.items():
        assert (file["size"], file["sha256"]) == (path.stat().st_size, sha256(path)), path


def test_index_knows_it(first: tuple[Path, Done], release: Path, small: Path) -> None:
    home, _ = first
    [video] = rows(home, "SELECT * FROM videos")
    assert {name: video[name] for name in ("video_id", "release_id", "title", "preset", "source_sha256")} == {
        "video_id": "small-clip",
        "release_id": release.name,
        "title": "A small clip",
        "preset": "draft",
        "source_sha256": sha256(small),
    }
    assert (video["width"], video["height"], video["rate"], video["duration"]) == (320, 240, 25, 3)
    assert video["encode_seconds"] > 0
    made = rows(home, "SELECT name, codec, width, height, bytes, sha256 FROM renditions ORDER BY name")
    assert [(row["name"], row["codec"], row["width"], row["height"]) for row in made] == [
        ("audio-1", "aac", None, None),
        ("h264-240p", "h264", 320, 240),
    ]
    media = files_below(home / "store/videos/small-clip/media")
    assert {(row["sha256"], row["bytes"]) for row in made} == {(path.stem, path.stat().st_size) for path in media}
    assert rows(home, "SELECT first_frame, end_frame FROM scenes") == [{"first_frame": 0, "end_frame": 75}]
    checked = rows(home, "SELECT count(*) AS n, min(passed) AS all_passed FROM checks")
    assert checked == [{"n": len(CHECKS), "all_passed": 1}]
    assert rows(home, "SELECT version, source, release_id FROM requests") == [
        {"version": 1, "source": str(small), "release_id": release.name}
    ]


def test_same_bytes_in_another_home(first: tuple[Path, Done], second: tuple[Path, Done]) -> None:
    one, other = digests(first[0]), digests(second[0])
    assert len(one) > 15
    assert one == other


def test_second_run_encodes_nothing(second: tuple[Path, Done], small: Path) -> None:
    home, before = second

    def written() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in files_below(home / "store/videos", home / "store/blobs")}

    files = written()
    done = run(home, "process", small, *OPTIONS, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout == before.stdout
    assert written() == files
    assert rows(home, "SELECT release_id, encode_seconds FROM videos") == [
        {"release_id": json.loads(done.stdout)["releaseId"], "encode_seconds": None}
    ]


def test_without_id_and_preset(second: tuple[Path, Done], small: Path) -> None:
    """A new id each time and the default preset; what was encoded for another video is used again."""
    home, _ = second
    blobs = files_below(home / "store" / "blobs")
    done = run(home, "process", f"file://{small}", "--json", VIDEO_PIPELINE_DEFAULT_PRESET="draft")
    assert done.returncode == 0, done.stderr
    video_id = json.loads(done.stdout)["videoId"]
    assert len(video_id) == 26
    assert rows(home, f"SELECT preset, encode_seconds FROM videos WHERE video_id = '{video_id}'") == [
        {"preset": "draft", "encode_seconds": None}
    ]
    assert files_below(home / "store" / "blobs") == blobs


def test_what_takes_the_place_of_a_card_is_told_everywhere(small: Path, tmp_path: Path) -> None:
    """The release is made by what its documents and the index say."""
    (tmp_path / "card.yaml").write_text("extends: draft\nhardware: prefer\nh264: {encoder: h264_vaapi}\n")
    places = {"VIDEO_PIPELINE_PRESETS_DIR": str(tmp_path), "VIDEO_PIPELINE_VAAPI_DEVICE": "/nonexistent/card"}
    done = run(tmp_path / "home", "process", small, "--preset", "card", "--json", **places)
    assert done.returncode == 0, done.stderr
    release = Path(json.loads(done.stdout)["release"])
    assert json.loads((release / "release.json").read_bytes())["encoders"]["h264"] == "libx264"
    plan = json.loads((release / "metadata.json").read_bytes())["plan"]
    assert plan["encoders"][0]["codec"] == "libx264"
    assert plan["fallbacks"] == [{"family": "h264", "asked": "h264_vaapi", "used": "libx264"}]
    assert rows(tmp_path / "home", "SELECT name, encoder FROM renditions ORDER BY name") == [
        {"name": "audio-1", "encoder": None},
        {"name": "h264-240p", "encoder": "libx264"},
    ]
