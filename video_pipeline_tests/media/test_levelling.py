"""Loudness as a listener's meter has it, measured on what was encoded."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.media import audio, probe
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_ffmpeg

QUIET = "0.02*sin(2*PI*1000*t)"
DYNAMIC = "0.9*sin(2*PI*300*t)*lt(mod(t\\,2)\\,0.05)+0.01*(2*random(0)-1)"
"""A soft rustle with loud strokes, so that the limiter has much to do."""


def meter(tools: Tools, path: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dBTP."""
    argv = [str(tools.ffmpeg), "-nostdin", "-i", str(path), "-af", "ebur128=peak=true:framelog=quiet"]
    log = subprocess.run([*argv, "-f", "null", "-"], check=True, capture_output=True, text=True, timeout=60).stderr
    summary = log[log.rindex("Summary:") :]
    found = [re.search(pattern, summary) for pattern in (r"I:\s+(\S+) LUFS", r"Peak:\s+(\S+) dBFS")]
    return tuple(float(one[1]) for one in found if one)  # type: ignore[return-value]


def published(tools: Tools, directory: Path, target: float | None, *waves: str) -> dict[str, Path]:
    clip = directory / "clip.mkv"
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=32x32:rate=5:duration=8"]
    maps = ["-map", "0:v"]
    for number, wave in enumerate(waves, 1):
        inputs += ["-f", "lavfi", "-i", f"aevalsrc='{wave}':s=48000:d=8"]
        maps += ["-map", f"{number}:a"]
    run_ffmpeg(tools, *inputs, *maps, "-c:a", "pcm_f32le", clip)
    preset = presets.load("draft")
    preset = preset.model_copy(update={"audio": preset.audio.model_copy(update={"loudness": target})})
    plan = make_plan(probe.probe(tools, clip), "0" * 64, preset)
    audio.encode(tools, clip, plan, plan.audio, directory)
    return {track.name: directory / f"{track.name}.mp4" for track in plan.audio}


@pytest.mark.parametrize("target", [-16, -23])
def test_every_track_comes_to_the_target(tools: Tools, tmp_path: Path, target: float) -> None:
    """A quiet one, one whose peaks stand in the way, and 5.1 with its stereo."""
    surround = "|".join([QUIET, "0.3*sin(2*PI*500*t)", QUIET, "0", QUIET, DYNAMIC])
    paths = published(tools, tmp_path, target, f"{QUIET}|{QUIET}", f"{DYNAMIC}|{DYNAMIC}", surround)
    assert list(paths) == ["audio-1", "audio-2", "audio-3", "audio-3-surround"]
    for path in paths.values():
        loudness, peak = meter(tools, path)
        assert loudness == pytest.approx(target, abs=1), path.name
        assert peak <= -1, path.name


def test_without_a_target_levels_stay(tools: Tools, tmp_path: Path) -> None:
    paths = published(tools, tmp_path, None, f"{QUIET}|{QUIET}", f"{DYNAMIC}|{DYNAMIC}")
    run_ffmpeg(tools, "-i", tmp_path / "clip.mkv", "-map", "0:a:1", tmp_path / "source.wav")
    assert meter(tools, paths["audio-1"])[0] == pytest.approx(-34, abs=0.5)
    assert meter(tools, paths["audio-2"])[0] == pytest.approx(meter(tools, tmp_path / "source.wav")[0], abs=0.5)


def test_silence_stays_silent(tools: Tools, tmp_path: Path) -> None:
    paths = published(tools, tmp_path, -16, "0|0")
    assert meter(tools, paths["audio-1"])[0] == -70
