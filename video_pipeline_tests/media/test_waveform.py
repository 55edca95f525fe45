"""The outline against samples decoded by themselves and against signals that are known."""

from __future__ import annotations

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from video_pipeline.media import loudness
from video_pipeline.media.tools import Tools
from video_pipeline.media.waveform import Outline, Waveform
from video_pipeline_tests.media.release import run_ffmpeg


def drawn(tools: Tools, path: Path, seconds: float) -> Waveform:
    outline = Outline(Fraction(str(seconds)))
    loudness.measure(tools, path, on_sound=outline.take)
    return outline.done()


def wav(tools: Tools, path: Path, left: str, right: str, seconds: float, rate: int = 48_000) -> Path:
    left, right = (wave.replace(",", "\\,") for wave in (left, right))
    run_ffmpeg(tools, "-f", "lavfi", "-i", f"aevalsrc='{left}|{right}':s={rate}:d={seconds}", "-c:a", "pcm_s16le", path)
    return path


def test_the_document(tools: Tools, tmp_path: Path) -> None:
    """The fields of https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md."""
    found = json.loads(drawn(tools, wav(tools, tmp_path / "tone.wav", "0", "0", 1.234), 1.234).text())
    data = found.pop("data")
    assert found == {
        "version": 2,
        "channels": 1,
        "sample_rate": 48_000,
        "samples_per_pixel": 480,
        "bits": 8,
        "length": 124,
    }
    assert data == [0] * 248


def test_a_full_scale_square(tools: Tools, tmp_path: Path) -> None:
    square = "if(lt(mod(t,0.005),0.0025),1,-1)"
    found = drawn(tools, wav(tools, tmp_path / "square.wav", square, square, 1), 1)
    assert set(found.data[::2]) == {-128}
    assert set(found.data[1::2]) == {127}


def test_a_click_is_where_it_is(tools: Tools, tmp_path: Path) -> None:
    """One sample of the left channel at 0.7305 s, upwards; one of the right at 1.2345 s, downwards."""
    up, down = "0.5*eq(n,35064)", "-0.25*eq(n,59256)"
    found = drawn(tools, wav(tools, tmp_path / "click.wav", up, down, 2), 2)
    pairs = list(zip(found.data[::2], found.data[1::2], strict=True))
    assert {n: pair for n, pair in enumerate(pairs) if pair != (0, 0)} == {73: (0, 64), 123: (-32, 0)}


def test_opposite_phases_do_not_vanish(tools: Tools, tmp_path: Path) -> None:
    wave = "0.5*sin(2*PI*440*t)"
    found = drawn(tools, wav(tools, tmp_path / "phase.wav", wave, f"-{wave}", 1), 1)
    assert min(found.data[1::2]) > 60


@pytest.mark.parametrize(
    ("codec", "rate", "seconds", "size"),
    [("pcm_s16le", 44_100, 3.333, 441), ("aac", 48_000, 3.333, 480), ("pcm_s16le", 8000, 230, 160)],
)
def test_every_pixel_is_that_of_the_decoded_samples(
    tools: Tools, tmp_path: Path, codec: str, rate: int, seconds: float, size: int
) -> None:
    path = tmp_path / "noise.mov"
    noise = f"anoisesrc=r={rate}:color=pink:seed=7:d={seconds},volume='abs(sin(t))':eval=frame"
    noise += ",pan=stereo|c0=c0|c1=0.5*c0"
    run_ffmpeg(tools, "-f", "lavfi", "-i", noise, "-c:a", codec, path)
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-f", "f64le", "-"]
    raw = subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
    samples = np.frombuffer(raw, np.float64).reshape(-1, 2)
    found = drawn(tools, path, seconds)
    assert (found.sample_rate, found.samples_per_pixel) == (rate, size)
    assert found.length == -(-len(samples) // size) <= 20_000
    starts = np.arange(0, len(samples), size)
    lowest, highest = np.minimum.reduceat(samples.min(axis=1), starts), np.maximum.reduceat(samples.max(axis=1), starts)
    # Of 256 steps between -1 and 1, and the rounding to 16 bits before.
    assert np.abs(np.array(found.data[::2]) - np.clip(lowest, -1, 1) * 128).max() < 1.01
    assert np.abs(np.array(found.data[1::2]) - np.clip(highest, -1, 1) * 128).max() < 1.01
    assert np.ptp(found.data) > 40


@pytest.mark.parametrize("seconds", [1, 199, 201, 3600, 3 * 3600, 24 * 3600])
def test_a_long_sound_is_not_a_large_file(seconds: int) -> None:
    """Fed by hand, a second at a time, of 80 samples."""
    outline = Outline(Fraction(seconds))
    outline.take(b".snd" + b"".join(n.to_bytes(4, "big") for n in (24, 0xFFFFFFFF, 3, 80, 1)))
    for _ in range(seconds):
        outline.take(bytes(160))
    found = outline.done()
    assert found.length <= 20_000
    assert len(found.text()) < 200_000
    assert found.length * found.samples_per_pixel >= 80 * seconds


def test_no_sample_at_all() -> None:
    assert Outline(Fraction(1)).done().length == 0
