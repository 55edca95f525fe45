"""Many channels: which speaker each ends in, how loud, and that their sum never clips."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from video_pipeline import presets
from video_pipeline.media import audio, probe
from video_pipeline.media.model import AudioPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media.release import run_ffmpeg

RATE = 48_000
SIX = "FL FR FC LFE BL BR".split()
EIGHT = [*SIX, "SL", "SR"]
Samples = NDArray[np.float32]
Tracks = dict[str, tuple[AudioPlan, Samples]]
Make = Callable[[list[str], str], Tracks]


@pytest.fixture(scope="module")
def made(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Encodes a clip of the given channels' waves and decodes what came of it; track name to plan and samples."""

    def make(waves: list[str], layout: str) -> Tracks:
        directory = tmp_path_factory.mktemp("surround")
        clip = directory / "clip.mov"
        sound = f"aevalsrc='{'|'.join(waves)}':c='{layout}':s={RATE}:d=2"
        pictures = ["-f", "lavfi", "-i", "testsrc2=size=32x32:rate=25:duration=2"]
        run_ffmpeg(tools, *pictures, "-f", "lavfi", "-i", sound, "-c:a", "pcm_f32le", clip)
        plan = make_plan(probe.probe(tools, clip), "0" * 64, presets.load("draft"))
        audio.encode(tools, clip, plan, plan.audio, directory)
        return {track.name: (track, samples(tools, directory / f"{track.name}.mp4")) for track in plan.audio}

    return make


def samples(tools: Tools, path: Path) -> Samples:
    """Every channel, without any mixing."""
    (stream,) = ffprobe.streams(tools, path)
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-f", "f32le", "-ar", str(RATE), "-"]
    raw = subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
    return np.frombuffer(raw, np.float32).reshape(-1, stream["channels"])


HERTZ = [200, 300, 400, 50, *range(500, 2600, 100)]
"""One for each channel; low for that of low frequencies."""


def tones(count: int, level: float) -> list[str]:
    return [f"{level}*sin(2*PI*{hertz}*t)" for hertz in HERTZ[:count]]


def amplitudes(found: Samples, count: int) -> NDArray[np.float64]:
    """Of each of those tones (rows) in each channel (columns)."""
    part = found[RATE // 2 : RATE // 2 + RATE]
    spectrum: NDArray[np.float64] = np.abs(np.fft.rfft(part, axis=0)) * 2 / RATE
    return spectrum[HERTZ[:count]]


@pytest.mark.parametrize(("name", "speakers"), [("5.1", SIX), ("5.1(side)", SIX), ("7.1", EIGHT)])
def test_every_channel_stays_in_its_speaker(made: Make, name: str, speakers: list[str]) -> None:
    count = len(speakers)
    tracks = made(tones(count, 0.1), name)
    assert list(tracks) == ["audio-1", "audio-1-surround"]
    plan, found = tracks["audio-1-surround"]
    assert (plan.channels, plan.default, plan.label) == (count, False, f"Audio ({name.removesuffix('(side)')})")
    assert amplitudes(found, count) == pytest.approx(0.1 * np.eye(count), abs=0.01)


def test_the_stereo_mix_has_the_weights_of_bs_775(made: Make) -> None:
    """Left: 1 L + 0.7071 C + 0.7071 Ls; right likewise; nothing of the low frequencies."""
    tracks = made(tones(6, 0.1), "5.1")
    plan, found = tracks["audio-1"]
    assert (plan.channels, plan.default) == (2, True)
    half = 0.5**0.5
    weights = [[1, 0], [0, 1], [half, half], [0, 0], [half, 0], [0, half]]
    assert amplitudes(found, 6) == pytest.approx(0.1 * np.array(weights), abs=0.005)


@pytest.mark.parametrize(
    "wave",
    [
        pytest.param("sin(2*PI*997*t)", id="sine"),
        pytest.param("sgn(sin(2*PI*211*t))", id="square"),
        pytest.param("(2*random(0)-1)", id="noise"),
        pytest.param("sin(2*PI*12000*t+PI/4)*sqrt(2)", id="peaks between samples"),
        pytest.param("not(mod(floor(t*48000)\\,4800))", id="clicks"),
    ],
)
def test_full_scale_in_every_channel_does_not_clip(made: Make, wave: str) -> None:
    """All six in phase add up to 2.4 times full scale."""
    tracks = made([wave] * 6, "5.1")
    _, found = tracks["audio-1"]
    assert np.abs(found).max() < 1
    assert np.abs(found).max() > 0.5  # it is held down, not turned down


BOTH = ["audio-1", "audio-1-surround"]


@pytest.mark.parametrize(
    ("name", "count", "low", "channels"),
    [
        ("mono", 1, 0, [2]),
        ("2.1", 3, 1, [2]),
        ("3.0", 3, 0, [2]),
        ("quad", 4, 0, [2, 6]),
        ("4.0", 4, 0, [2, 6]),
        ("4.1", 5, 1, [2, 6]),
        ("5.0", 5, 0, [2, 6]),
        ("6.1", 7, 1, [2, 8]),
        ("7.1(wide)", 8, 1, [2, 8]),
        ("octagonal", 8, 0, [2, 8]),
    ],
)
def test_odd_layouts(made: Make, name: str, count: int, low: int, channels: list[int]) -> None:
    """Nothing that is heard in the room is lost in the stereo, but low frequencies."""
    tracks = made(tones(count, 0.05), name)
    assert [track.channels for track, _ in tracks.values()] == channels
    heard = amplitudes(tracks["audio-1"][1], count).max(axis=1) > 0.01
    assert heard.sum() == count - low


@pytest.mark.parametrize(
    ("count", "channels"), [(3, [2]), (4, [2, 6]), (5, [2, 6]), (6, [2, 6]), (7, [2, 8]), (8, [2, 8]), (11, [2])]
)
def test_channels_without_names(tools: Tools, tmp_path: Path, count: int, channels: list[int]) -> None:
    """They are what players take them for; of more than eight the first two are left and right."""
    clip = tmp_path / "clip.mkv"
    waves = "|".join(tones(count, 0.05))
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=32x32:rate=25:duration=2"]
    run_ffmpeg(tools, *inputs, "-f", "lavfi", "-i", f"aevalsrc='{waves}':s={RATE}:d=2", "-c:a", "pcm_s16le", clip)
    found = probe.probe(tools, clip)
    assert (found.audio[0].channels, found.audio[0].layout) == (count, None)
    plan = make_plan(found, "0" * 64, presets.load("draft"))
    assert [track.channels for track in plan.audio] == channels
    audio.encode(tools, clip, plan, plan.audio, tmp_path)
    stereo = amplitudes(samples(tools, tmp_path / "audio-1.mp4"), count)
    assert stereo[:2] == pytest.approx(0.05 * np.eye(2), abs=0.005)
    heard = (stereo.max(axis=1) > 0.01).sum()
    assert heard == {6: 5, 7: 6, 8: 7, 11: 2}.get(count, count)
