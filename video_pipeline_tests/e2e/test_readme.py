"""Everything the README tells people to type."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from video_pipeline import presets
from video_pipeline.definitions import defs
from video_pipeline.intake.bull import bull
from video_pipeline.settings import PREFIX, PROJECT, Settings
from video_pipeline_tests.e2e.conftest import RunningStack, works
from video_pipeline_tests.node import install
from video_pipeline_tests.node.place import place
from video_pipeline_tests.processes import environment, wait_for

pytestmark = pytest.mark.e2e
README = (PROJECT / "README.md").read_text("utf-8")
PACKAGES = ("bullmq@6.7.0", "ioredis@5.8.2")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


COMMANDS = [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines() if line.strip()]
OWN = [line for line in COMMANDS if line.startswith("video-pipeline ")]
MAKE = [line for line in COMMANDS if line.startswith("make ")]


def test_every_command_is_covered_here() -> None:
    assert set(OWN) | set(MAKE) == set(COMMANDS)
    assert len(OWN) > 8


@pytest.mark.parametrize("line", MAKE)
def test_make_knows(line: str) -> None:
    """What they do is the demo's test and this whole suite; run here they would call themselves."""
    done = subprocess.run(["make", "-n", *line.split()[1:]], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0
    assert "video-pipeline demo" in done.stdout or "pytest" in done.stdout


def test_commands_in_their_order(stack: RunningStack, make_clip: Callable[..., Path], tmp_path: Path) -> None:
    shutil.copy(make_clip("readme.mp4", size="640x360"), tmp_path / "video.mp4")
    Image.effect_noise((640, 360), 60).save(tmp_path / "cover.jpg")
    (tmp_path / "videos.csv").write_text("source,videoId,tags\nvideo.mp4,from-csv,a;b\n")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    printed: dict[str, str] = {}
    for line in OWN:
        if line == "video-pipeline up":
            continue  # the stack of these tests is one
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=environment(stack.home, PATH=path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )
        # Its video is done by then.
        expected = 2 if line.startswith("video-pipeline cancel") else 0
        assert done.returncode == expected, (line, done.stderr)
        printed[line.split()[1]] = done.stdout
        if line.startswith("video-pipeline thumbnail"):
            wait_for(lambda: not works(stack), 120, every=0.1)  # its job is not for the next command
    assert [json.loads(row)["video_id"] for row in printed["search"].splitlines()] == ["my-video"]
    assert "h264" in printed["sql"]
    assert json.loads(printed["status"])["releaseId"]
    (python,) = blocks("python")
    shown = subprocess.run(
        [sys.executable, "-c", python], env=environment(stack.home), capture_output=True, text=True, check=True
    )
    assert "my-video" in shown.stdout


def test_a_node_app_enqueues(stack: RunningStack, clip: Path, tmp_path: Path) -> None:
    assert f"npm install {' '.join(package.split('@')[0] for package in PACKAGES)}" in README
    node, npm = install.programs()
    (script,) = blocks("js")
    written = "{ host: '127.0.0.1', port: 6399 }"
    assert all(text in script for text in (written, "'/data/video.mp4'"))
    script = script.replace(written, place(stack.settings)).replace("/data/video.mp4", str(clip))
    shown = "console.log(JSON.stringify({ id: job.id, videoId, releaseId, hls, durations }));"
    end = "await events.close(); await queue.close();"
    (tmp_path / "app.js").write_text(f"(async () => {{\n{script}\n{shown}\n{end}\n}})();\n")
    arguments = [*npm, "install", "--silent", "--no-audit", "--no-fund", *PACKAGES]
    subprocess.run(arguments, cwd=tmp_path, check=True, stdin=subprocess.DEVNULL, timeout=120)
    done = subprocess.run([*node, "app.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    *progress, last = done.stdout.splitlines()
    told = json.loads(last)
    assert (told["videoId"], told["hls"]) == ("from-node", "videos/from-node/master.m3u8")
    assert told["durations"]["videoSeconds"] == 4
    assert any(line.startswith(f"{told['id']} renditions/h264 ") for line in progress)
    job = bull(stack.settings).job(told["id"])
    assert job is not None
    assert job.returnvalue["releaseId"] == told["releaseId"]


def test_the_presets_can_be_used(tmp_path: Path) -> None:
    for text in blocks("yaml"):
        (tmp_path / Path(text.split()[1]).name).write_text(text)
    ours, mixed, card = (presets.load(name, tmp_path) for name in ("ours", "mixed", "card"))
    assert (ours.max_height, ours.audio.bit_rate) == (1080, 192)
    assert {name: family.bit_depth for name, family in mixed.families.items()} == {"h264": 8, "hevc": 10, "vp9": 8}
    assert [family.encoder for family in card.families.values()] == ["h264_nvenc", "hevc_nvenc", "libsvtav1"]


def test_all_settings_are_there_and_no_others() -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", README))
    assert named == {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def test_all_assets_are_there() -> None:
    for key in defs.resolve_asset_graph().get_all_asset_keys():
        assert f"`{key.path[-1]}`" in README or f"`{'/'.join(key.path)}`" in README


def test_all_presets_are_there() -> None:
    for name in presets.names(None):
        assert f"`{name}`" in README
