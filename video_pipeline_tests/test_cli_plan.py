"""`video-pipeline plan`: what it promises is what `process` makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from video_pipeline_tests.processes import run


@pytest.fixture(scope="module")
def clip(make_clip: Callable[..., Path]) -> Path:
    return make_clip("planned.mp4", seconds=40, size="320x240", cuts=False)


def planned(tmp_path: Path, *arguments: str | Path, **extra: str) -> dict[str, Any]:
    done = run(tmp_path / "home", "plan", *arguments, "--json", **extra)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "home").exists()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_everything_in_numbers(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello.\n")
    options = ("--subtitles", f"en={tmp_path}/words.srt", "--thumbnail-at", "50%", "--poster", "1")
    found = planned(tmp_path, clip, "--preset", "web+", *options)
    assert (found["preset"], found["frameRate"], found["frames"]) == ("web+", "25", 1000)
    assert (found["gopFrames"], found["segmentFrames"], found["segmentSeconds"]) == (50, 100, 4)
    assert [chunk["seconds"] for chunk in found["chunks"]] == [20, 20]
    assert [(rung["name"], rung["encoder"], rung["width"], rung["height"]) for rung in found["rungs"]] == [
        ("h264-240p", "libx264", 320, 240),
        ("hevc-240p", "libx265", 320, 240),
        ("av1-240p", "libsvtav1", 320, 240),
    ]
    assert found["rungs"][0]["maxrate"] == 450_000
    (sound,) = found["audio"]
    assert (sound["codec"], sound["layout"], sound["seconds"]) == ("aac", "stereo", 40)
    assert [(text["label"], text["of"]) for text in found["text"]] == [("English", "subtitles.0.source")]
    assert found["images"] == {
        "candidates": 8,
        "asked": 1,
        "posterFrame": 25,
        "formats": ["jpeg", "webp"],
        "widths": [320],
        "ssim": 0.97,
        "previewSeconds": 4,
        "tileSeconds": 2,
        "tiles": 20,
        "sheets": 1,
    }
    assert found["source"]["audio"][0]["codec"] == "aac"
    assert found["leftOut"][0] == {
        "name": "h264 2160p, 1440p, 1080p, 720p, 480p, 360p",
        "why": "larger than the source (240p)",
    }


def test_why_a_source_is_not_passed_through(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "passing.yaml").write_text("extends: web+\npass_through: true\n")
    asked = (tmp_path, clip, "--preset")
    found = planned(*asked, "passing", VIDEO_PIPELINE_PRESETS_DIR=str(tmp_path))
    assert not any(rung["copied"] for rung in found["rungs"])
    assert [one["name"] for one in found["notPassedThrough"]] == ["h264-240p", "hevc-240p", "av1-240p"]
    assert found["notPassedThrough"][1]["why"] == "it is h264"
    assert planned(*asked, "web+")["notPassedThrough"] == []
    done = run(tmp_path / "home", "plan", clip, "--preset", "passing", VIDEO_PIPELINE_PRESETS_DIR=str(tmp_path))
    assert "encoded   hevc-240p: not passed through, it is h264" in done.stdout


def test_trim_and_sound_as_asked_for(tmp_path: Path, clip: Path) -> None:
    found = planned(tmp_path, clip, "--preset", "premium", "--trim", "1:3", "--audio", "none")
    assert (found["frames"], found["audio"], found["download"]) == (50, [], "h264-240p")
    assert [chunk["frames"] for chunk in found["chunks"]] == [50]


def test_what_is_encrypted(tmp_path: Path, clip: Path) -> None:
    uri = "https://keys.example/{key_id}"
    text = f"extends: web\nprotection: {{scheme: cbcs, key_uri: '{uri}', license_uri: '{uri}'}}\n"
    (tmp_path / "secret.yaml").write_text(text)
    found = planned(tmp_path, clip, "--preset", "secret", VIDEO_PIPELINE_PRESETS_DIR=str(tmp_path))
    assert found["protection"]["scheme"] == "cbcs"


def test_for_people(tmp_path: Path, clip: Path) -> None:
    done = run(tmp_path / "home", "plan", clip, "--preset", "480p", COLUMNS="100")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    facts = {line[:10].strip(): line[10:] for line in lines if line}
    assert facts["source"].startswith("planned.mp4 (mov,mp4,m4a,3gp,3g2,mj2), 40.000 s; h264 320x240 yuv420p; 25 ")
    assert facts["grid"] == "a key frame every 50 frames, segments of 100 (4.000 s)"
    assert facts["chunks"] == "2 of 20.000 s, the last 20.000 s"
    assert ["h264-240p", "320x240", "23", "450", "libx264", "medium", "8", "SDR"] in [line.split() for line in lines]


def test_a_searched_crf_is_not_promised(tmp_path: Path, clip: Path) -> None:
    assert planned(tmp_path, clip, "--preset", "per-title")["crfIsSearched"]
    done = run(tmp_path / "home", "plan", clip, "--preset", "per-title")
    assert "near 23" in done.stdout
    assert "the crf of each rung is searched for" in done.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--preset", "best"), "preset 'best' is unknown; there are"),
        (("--trim", "50:60"), "trim"),
        (("--preset", "../web"), "preset '../web' is unknown"),
        (("--subtitles", "en=none.srt"), "subtitles.0.source"),
    ],
)
def test_what_cannot_be_made_is_said_in_a_sentence(
    tmp_path: Path, clip: Path, options: tuple[str, ...], sentence: str
) -> None:
    done = run(tmp_path / "home", "plan", clip, *options)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"video-pipeline: {sentence}")


def test_options_that_the_encoder_refuses(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "odd.yaml").write_text("extends: draft\nh264: {options: {tune: warp}}\n")
    done = run(tmp_path / "home", "plan", clip, "--preset", "odd", VIDEO_PIPELINE_PRESETS_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "video-pipeline: preset odd: h264: libx264 refuses its settings: invalid tune 'warp'\n"


def test_a_source_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("Not a video at all.\n" * 500)
    done = run(tmp_path / "home", "plan", tmp_path / "text.mp4")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "video-pipeline: text.mp4: it is a text, not a video\n"
