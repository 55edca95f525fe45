"""The pointer's manifests: the same streams, named from two directories higher."""

from __future__ import annotations

import posixpath
import re
import subprocess
from pathlib import Path

from video_pipeline.media import manifests
from video_pipeline_tests.media.release import Made


def test_a_pointer_names_the_same_files(made: Made, tmp_path: Path) -> None:
    release = made.place(tmp_path)
    master = manifests.pointer_master(made.streams.texts[manifests.MASTER], "r1")
    mpd = manifests.pointer_mpd(made.streams.texts[manifests.MPD], "r1")
    below = re.findall(r"[\w./-]+\.m3u8", made.streams.texts[manifests.MASTER])
    named = re.findall(r"[\w./-]+\.m3u8", master)
    assert [tmp_path / uri for uri in named] == [release / "hls" / uri for uri in below]
    assert "releases/r1/hls/sprites.m3u8" in named
    files = re.findall(r"<BaseURL>(.*)</BaseURL>", mpd)
    assert len(files) == 3
    assert all((tmp_path / uri).is_file() for uri in (*named, *files))
    inside = re.findall(r"<BaseURL>(.*)</BaseURL>", made.streams.texts[manifests.MPD])
    [sheets] = re.findall(r'media="(.*?)"', mpd)
    assert (tmp_path / sheets.replace("$Number%03d$", "002")).is_file()
    assert files == [posixpath.normpath(posixpath.join("releases/r1/dash", uri)) for uri in inside]


def test_a_player_plays_the_pointer(made: Made, tmp_path: Path) -> None:
    made.place(tmp_path)
    master, mpd = tmp_path / "master.m3u8", tmp_path / "manifest.mpd"
    master.write_text(manifests.pointer_master(made.streams.texts[manifests.MASTER], "r1"))
    mpd.write_text(manifests.pointer_mpd(made.streams.texts[manifests.MPD], "r1"))
    argv = [str(made.tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(master), "-map", "0:v", "-map", "0:a"]
    argv += ["-fps_mode", "passthrough", "-progress", "-", "-f", "null", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert re.findall(r"^frame=(\d+)", done.stdout, re.MULTILINE)[-1] == "150"


def test_only_addresses_differ(made: Made) -> None:
    master, mpd = made.streams.texts[manifests.MASTER], made.streams.texts[manifests.MPD]
    assert manifests.pointer_master(master, "r1").replace("releases/r1/hls/", "") == master
    assert (
        manifests.pointer_mpd(mpd, "r1").replace(">media/", ">../../../media/").replace('"releases/r1/', '"../') == mpd
    )
