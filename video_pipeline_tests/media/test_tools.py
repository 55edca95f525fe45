from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from video_pipeline.errors import ToolMissing
from video_pipeline.media import tools as tools_module
from video_pipeline.media.tools import Tools


def script(path: Path, text: str, mode: int = 0o755) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path


def test_the_wheels_programs_run(tools: Tools) -> None:
    for program in (tools.ffmpeg, tools.ffprobe, tools.packager):
        shown = tools_module.version(program)
        assert shown != "unknown version"
        flag = "--version" if program is tools.packager else "-version"
        done = subprocess.run([program, flag], capture_output=True, text=True, check=True)
        assert shown in (done.stdout + done.stderr).splitlines()[0]


def test_a_program_named_is_the_one_used(tmp_path: Path, tools: Tools) -> None:
    own = script(tmp_path / "ffmpeg", "echo ffmpeg version 99.1-own Copyright")
    found = tools_module.find(ffmpeg=own, nice=11)
    assert (found.ffmpeg, found.ffprobe, found.packager) == (own, tools.ffprobe, tools.packager)
    assert found.nice == 11
    assert tools_module.version(own) == "99.1-own"


@pytest.mark.parametrize("name", ["ffmpeg", "ffprobe", "packager"])
def test_a_missing_program_is_named_with_its_remedy(tmp_path: Path, name: str) -> None:
    path = tmp_path / "none"
    named: dict[str, Any] = {name: path}
    with pytest.raises(ToolMissing, match=rf"^{name}: .*{path}.*VIDEO_PIPELINE_{name.upper()}"):
        tools_module.find(**named)


def test_a_file_that_may_not_be_run_is_no_program(tmp_path: Path) -> None:
    path = script(tmp_path / "ffmpeg", "echo hello", mode=0o644)
    with pytest.raises(ToolMissing, match="there is no program"):
        tools_module.find(ffmpeg=path)


@pytest.mark.parametrize("text", ["exit 1", "kill -9 $$"])
def test_a_broken_program_has_no_version(tmp_path: Path, text: str) -> None:
    with pytest.raises(ToolMissing, match="does not run"):
        tools_module.version(script(tmp_path / "ffmpeg", text))


def test_a_version_that_cannot_be_told(tmp_path: Path) -> None:
    assert tools_module.version(script(tmp_path / "ffmpeg", "echo hello")) == "unknown version"


def test_encoders_are_those_that_encode(tools: Tools, tmp_path: Path) -> None:
    names = tools_module.encoders(tools)
    assert {"libx264", "aac", "mjpeg"} <= names
    assert not {"=", "h264", "mpegts"} & names  # a legend, a decoder, a format
    argv = [str(tools.ffmpeg), "-v", "error", "-f", "lavfi", "-i", "testsrc2=duration=0.1"]
    done = subprocess.run([*argv, "-c:v", "libx264", "-f", "null", "-"], stdin=subprocess.DEVNULL)
    assert done.returncode == 0


def test_another_build_is_another_build(tmp_path: Path, tools: Tools) -> None:
    """Same version, other configuration: its bits may differ."""
    text = "echo ffmpeg version 7.1 Copyright; echo built on {0}; echo configuration: --enable-{1}; echo libavcodec 61"
    builds = {}
    for name, date, option in (("a", "Monday", "x"), ("b", "Tuesday", "x"), ("c", "Monday", "y")):
        own = script(tmp_path / name, text.format(date, option))
        builds[name] = tools_module.build(replace(tools, ffmpeg=own))
    assert builds["a"] == builds["b"] != builds["c"]


def test_a_program_replaced_in_place_is_seen(tmp_path: Path, tools: Tools) -> None:
    own = script(tmp_path / "ffmpeg", "echo ffmpeg version 1")
    changed = replace(tools, ffmpeg=own)
    before = tools_module.build(changed)
    status = own.stat()
    script(own, "echo ffmpeg version 2")
    os.utime(own, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))
    assert (before, tools_module.build(changed)) == ("ffmpeg version 1", "ffmpeg version 2")


def test_builds_name_everything_that_shapes_the_bytes(tools: Tools) -> None:
    builds = tools_module.builds(tools)
    assert set(builds) == {"ffmpeg", "packager", "pillow", "mozjpeg", "scenedetect"}
    assert all(any(letter.isdigit() for letter in text) for text in builds.values())
