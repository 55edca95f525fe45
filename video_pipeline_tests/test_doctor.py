from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.media.tools import Tools
from video_pipeline_tests.processes import run

CARDS = ("h264_nvenc", "hevc_nvenc", "h264_vaapi", "hevc_vaapi")


def lines(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    """Name to verdict and the rest of its line."""
    found = {}
    for line in done.stdout.splitlines():
        name, verdict, rest = re.fullmatch(r"(\S+(?: \S+)*) +(ok|WRONG|unusable) +(\S.*)", line).groups()  # type: ignore[union-attr]
        found[name] = (verdict, rest)
    return found


def test_everything_is_there(tmp_path: Path, tools: Tools) -> None:
    done = run(tmp_path / "home", "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    said = lines(done)
    programs = ["ffmpeg", "ffprobe", "packager", "redis server"]
    made = [f"preset {name}" for name in presets.names()]
    assert list(said) == [*programs, "encoders", *CARDS, "home", *made]
    assert {verdict for name, (verdict, _) in said.items() if name not in CARDS} == {"ok"}
    for name in programs:
        version, path = said[name][1].split()
        assert re.search(r"\d+\.\d+", version), name
        # As the program itself has it.
        flag = "-version" if name.startswith("ff") else "--version"
        assert version in subprocess.run([path, flag], capture_output=True, text=True, timeout=30).stdout
    assert said["ffmpeg"][1].endswith(str(tools.ffmpeg))
    assert said["encoders"][1] == "libx264, libx265, libvpx-vp9, libsvtav1, aac"
    assert said["home"][1].startswith(f"{tmp_path}/home, ")
    assert "x264 veryfast" in said["preset draft"][1]


def test_names_all_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "mine.yaml").write_text("extends: web\nmax_hight: 720\n")
    done = run(
        tmp_path / "file" / "home",
        "doctor",
        VIDEO_PIPELINE_FFMPEG="/nonexistent",
        VIDEO_PIPELINE_PACKAGER=str(tmp_path / "file"),
        VIDEO_PIPELINE_REDIS_SERVER="/nonexistent",
        VIDEO_PIPELINE_PRESETS_DIR=str(tmp_path / "presets"),
    )
    assert (done.returncode, done.stderr) == (1, "")
    said = lines(done)
    wrong = {name: rest for name, (verdict, rest) in said.items() if verdict == "WRONG"}
    assert said.keys() - wrong.keys() == {"ffprobe", *(f"preset {name}" for name in presets.names())}
    assert wrong["ffmpeg"] == "ffmpeg: there is no program at /nonexistent; set VIDEO_PIPELINE_FFMPEG to one"
    assert "set VIDEO_PIPELINE_PACKAGER" in wrong["packager"]
    assert "/nonexistent" in wrong["redis server"]
    assert "VIDEO_PIPELINE_HOME" in wrong["home"]
    assert f"{tmp_path}/presets/mine.yaml: max_hight: this key is unknown" in wrong["preset mine"]


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_ffmpeg_without_the_encoder(tmp_path: Path) -> None:
    encoders = " V..... = Video\\n ------\\n A....D aac   AAC (Advanced Audio Coding)\\n"
    script = f'case "$*" in *encoders*) printf "{encoders}";; *) echo "ffmpeg version 9.9";; esac'
    fake = program(tmp_path / "ffmpeg", script)
    done = run(tmp_path / "home", "doctor", VIDEO_PIPELINE_FFMPEG=str(fake))
    assert done.returncode == 1
    said = lines(done)
    assert said["ffmpeg"] == ("ok", f"9.9  {fake}")
    assert said["encoders"] == ("WRONG", "this ffmpeg lacks libx264, libx265, libvpx-vp9, libsvtav1")
    assert said["hevc_nvenc"] == ("unusable", "this ffmpeg is built without it")
    assert said["preset web"] == ("WRONG", "needs libx264 for h264: this ffmpeg is built without it")


def test_a_wrapper_may_have_any_name(tmp_path: Path, tools: Tools) -> None:
    wrapper = program(tmp_path / "encoder", f'exec {tools.ffmpeg} "$@"')
    done = run(tmp_path / "home", "doctor", VIDEO_PIPELINE_FFMPEG=str(wrapper))
    assert (done.returncode, lines(done)["ffmpeg"][0]) == (0, "ok")


@pytest.mark.parametrize("script", ["exit 3", "kill -9 $$"])
def test_program_that_does_not_run(tmp_path: Path, script: str) -> None:
    broken = program(tmp_path / "ffprobe", script)
    done = run(tmp_path / "home", "doctor", VIDEO_PIPELINE_FFPROBE=str(broken))
    assert (done.returncode, done.stderr) == (1, "")
    verdict, rest = lines(done)["ffprobe"]
    assert verdict == "WRONG"
    assert str(broken) in rest
    assert "does not run" in rest


def test_setting_that_cannot_be_used(tmp_path: Path) -> None:
    done = run(tmp_path / "home", "doctor", VIDEO_PIPELINE_NICE="many")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("video-pipeline: setting VIDEO_PIPELINE_NICE: ")


def test_hardware_is_told_by_card_and_by_preset(tmp_path: Path) -> None:
    """Of a device that is not there, whatever cards the machine has."""
    (tmp_path / "presets").mkdir()
    for name, wish in (("must", "require"), ("may", "prefer")):
        text = f"extends: web\nhardware: {wish}\nh264: {{encoder: h264_vaapi}}\n"
        (tmp_path / "presets" / f"{name}.yaml").write_text(text)
    done = run(
        tmp_path / "home",
        "doctor",
        VIDEO_PIPELINE_PRESETS_DIR=str(tmp_path / "presets"),
        VIDEO_PIPELINE_VAAPI_DEVICE="/nonexistent/card",
    )
    assert (done.returncode, done.stderr) == (1, "")
    said = lines(done)
    why = "No VA display found for device /nonexistent/card"
    assert said["h264_vaapi"] == said["hevc_vaapi"] == ("unusable", why)
    assert said["preset must"] == ("WRONG", f"needs h264_vaapi for h264: {why}")
    assert said["preset may"][0] == "ok"
    assert said["preset may"][1].endswith(f"h264_vaapi cannot be used ({why}): libx264 takes its place.")
    assert {verdict for name, (verdict, _) in said.items() if name.startswith("preset ")} == {"ok", "WRONG"}


def test_settings_that_an_encoder_refuses_are_told(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    for name, value in (("good", "film"), ("bad", "flim")):
        text = f"extends: web\nh264: {{options: {{tune: {value}}}}}\n"
        (tmp_path / "presets" / f"{name}.yaml").write_text(text)
    # Of the one that takes the place of a card.
    text = "extends: web+\nhardware: prefer\nhevc: {encoder: hevc_vaapi, params: {aq-mod: '3'}}\n"
    (tmp_path / "presets" / "instead.yaml").write_text(text)
    done = run(
        tmp_path / "home",
        "doctor",
        VIDEO_PIPELINE_PRESETS_DIR=str(tmp_path / "presets"),
        VIDEO_PIPELINE_VAAPI_DEVICE="/nonexistent/card",
    )
    assert (done.returncode, done.stderr) == (1, "")
    verdict, rest = lines(done)["preset bad"]
    assert verdict == "WRONG"
    assert rest.startswith("h264: libx264 refuses its settings: ")
    assert "flim" in rest
    assert lines(done)["preset good"][0] == "ok"
    said = "hevc: libx265 refuses its settings: it does not know the parameter aq-mod"
    assert lines(done)["preset instead"] == ("WRONG", said)


def test_keys_are_looked_for_where_a_preset_needs_them(tmp_path: Path) -> None:
    text = "extends: web\nprotection: {scheme: cenc, key_uri: https://keys.example/}\n"
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "locked.yaml").write_text(text)
    keys = tmp_path / "keys.json"
    keys.write_text('{"*": {"key_id": "00112233445566778899aabbccddeeff", "key": "aa"}}')
    keys.chmod(0o600)
    place = {"VIDEO_PIPELINE_PRESETS_DIR": str(tmp_path / "presets")}
    done = run(tmp_path / "home", "doctor", **place)
    assert done.returncode == 1
    needed = "there are no keys: set VIDEO_PIPELINE_KEY_FILE or VIDEO_PIPELINE_KEY_SERVER"
    assert lines(done)["keys"] == ("WRONG", needed)
    done = run(tmp_path / "home", "doctor", **place, VIDEO_PIPELINE_KEY_FILE=str(keys))
    assert (done.returncode, lines(done)["keys"]) == (0, ("ok", f"key file {keys}"))
