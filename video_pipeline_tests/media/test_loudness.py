"""Known signals: EBU Tech 3341 has a 1 kHz sine at -23 dBFS in both channels measure -23 LUFS."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from video_pipeline.media import loudness
from video_pipeline.media.model import Span
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media.release import run_ffmpeg


def sound(tools: Tools, path: Path, expression: str, seconds: float, *codec: str) -> Path:
    """Stereo, both channels the same; `expression` is the amplitude over time, 1 is full scale."""
    source = f"aevalsrc='{expression}|{expression}':s=48000:d={seconds}"
    run_ffmpeg(tools, "-f", "lavfi", "-i", source, *(codec or ("-c:a", "pcm_s24le")), path)
    return path


def tone(dbfs: float, hertz: int = 1000) -> str:
    return f"{10 ** (dbfs / 20):.9f}*sin(2*PI*{hertz}*t)"


def borders(spans: tuple[Span, ...]) -> list[float]:
    return [time for span in spans for time in (span.start, span.end)]


@pytest.mark.parametrize("level", [-33.0, -23.0, -14.0])
def test_a_tone_of_known_level(tools: Tools, tmp_path: Path, level: float) -> None:
    found, silences = loudness.measure(tools, sound(tools, tmp_path / "tone.wav", tone(level), 8))
    assert found.integrated == pytest.approx(level, abs=0.2)
    assert found.true_peak == pytest.approx(level, abs=0.2)
    assert found.range == pytest.approx(0, abs=0.2)
    assert silences == ()


def test_what_the_encoder_wrote_measures_the_same(tools: Tools, tmp_path: Path) -> None:
    codec = ("-c:a", "aac", "-b:a", "128k")
    found, _ = loudness.measure(tools, sound(tools, tmp_path / "tone.mp4", tone(-23), 8, *codec))
    assert found.integrated == pytest.approx(-23, abs=0.3)


def test_quiet_parts_below_the_gate_do_not_count(tools: Tools, tmp_path: Path) -> None:
    """Tech 3341, case 3: -36, -23, -36 dBFS measure -23 LUFS, for what lies 10 LU below is gated."""
    amplitudes = f"if(between(t,4,16),{10 ** (-23 / 20):.9f},{10 ** (-36 / 20):.9f})*sin(2*PI*1000*t)"
    path = sound(tools, tmp_path / "gate.wav", amplitudes.replace(",", "\\,"), 20)
    assert loudness.measure(tools, path)[0].integrated == pytest.approx(-23, abs=0.2)


def test_loudness_range(tools: Tools, tmp_path: Path) -> None:
    """Tech 3342, case 1: 20 s at -20 dBFS, then 20 s at -30 dBFS have a range of 10 LU."""
    amplitudes = f"if(lt(t,20),{10 ** (-20 / 20):.9f},{10 ** (-30 / 20):.9f})*sin(2*PI*1000*t)"
    found, _ = loudness.measure(tools, sound(tools, tmp_path / "range.wav", amplitudes.replace(",", "\\,"), 40))
    assert found.range == pytest.approx(10, abs=1)


def test_true_peak_lies_between_samples(tools: Tools, tmp_path: Path) -> None:
    """A quarter of the sample rate, shifted by 45 degrees: every sample is 3 dB below the peak of the wave."""
    wave = "0.5*sin(2*PI*12000*t+PI/4)*min(1,min(t,5-t)*5)".replace(",", "\\,")
    found, _ = loudness.measure(tools, sound(tools, tmp_path / "peak.wav", wave, 5))
    assert found.true_peak == pytest.approx(20 * math.log10(0.5), abs=0.3)


def test_silences_are_found_where_they_are(tools: Tools, tmp_path: Path) -> None:
    """From 1 to 2.5 s and from 5 s to the end; 0.3 s from 3.5 s are too short to count."""
    gaps = "(1-between(t,1,2.5))*(1-between(t,3.5,3.8))*lt(t,5)"
    wave = f"{gaps}*0.3*sin(2*PI*1000*t)".replace(",", "\\,")
    _, silences = loudness.measure(tools, sound(tools, tmp_path / "gaps.wav", wave, 6))
    assert borders(silences) == pytest.approx([1, 2.5, 5, 6], abs=0.02)


@pytest.mark.parametrize(("level", "silent"), [(-55, False), (-66, True)])
def test_silence_is_what_lies_below_60_db(tools: Tools, tmp_path: Path, level: int, silent: bool) -> None:
    _, silences = loudness.measure(tools, sound(tools, tmp_path / "low.wav", tone(level), 3))
    assert bool(silences) is silent


def test_digital_silence_has_no_loudness(tools: Tools, tmp_path: Path) -> None:
    found, silences = loudness.measure(tools, sound(tools, tmp_path / "none.wav", "0", 4))
    assert (found.integrated, found.range, found.true_peak) == (None, None, None)
    assert borders(silences) == pytest.approx([0, 4], abs=0.01)


def test_sound_shorter_than_one_block_of_400_ms(tools: Tools, tmp_path: Path) -> None:
    found, silences = loudness.measure(tools, sound(tools, tmp_path / "short.wav", tone(-23), 0.04))
    assert (found.integrated, silences) == (None, ())
    assert found.true_peak == pytest.approx(-23, abs=0.5)


def test_loudness_over_time(tools: Tools, tmp_path: Path) -> None:
    """Tech 3341: full windows of a sine at -23 dBFS are -23 LUFS, here from 4 s on; before it is 10 LU less."""
    amplitudes = f"if(lt(t,4),{10 ** (-33 / 20):.9f},{10 ** (-23 / 20):.9f})*sin(2*PI*1000*t)"
    found, _ = loudness.measure(tools, sound(tools, tmp_path / "steps.wav", amplitudes.replace(",", "\\,"), 8))
    assert found.curve is not None
    assert found.curve.seconds_per_point == 0.1
    momentary, short_term = found.curve.momentary, found.curve.short_term
    assert len(momentary) == len(short_term) == 80
    # The first windows of 0.4 s and 3 s end with points 3 and 29; those of the louder part alone with 43 and 69.
    assert momentary[:3] == (None,) * 3
    assert short_term[:29] == (None,) * 29
    assert momentary[3:40] == pytest.approx([-33] * 37, abs=0.1)
    assert momentary[43:] == pytest.approx([-23] * 37, abs=0.1)
    assert short_term[29:40] == pytest.approx([-33] * 11, abs=0.1)
    assert short_term[69:] == pytest.approx([-23] * 11, abs=0.1)
    # A second and a half of the louder power, as much of the other.
    assert short_term[54] == pytest.approx(10 * math.log10((10**-2.3 + 10**-3.3) / 2), abs=0.15)


def test_the_loudest_moments(tools: Tools, tmp_path: Path) -> None:
    """0.4 s at -20 dBFS in a tone of -40: its own window, and 0.4 of 3 seconds."""
    amplitudes = f"if(between(t,4,4.4),{10 ** (-20 / 20):.9f},{10 ** (-40 / 20):.9f})*sin(2*PI*1000*t)"
    found, _ = loudness.measure(tools, sound(tools, tmp_path / "burst.wav", amplitudes.replace(",", "\\,"), 9))
    assert found.momentary_max == pytest.approx(-20, abs=0.15)
    assert found.short_term_max == pytest.approx(10 * math.log10((0.4 * 10**-2 + 2.6 * 10**-4) / 3), abs=0.15)


def test_silence_has_no_points(tools: Tools, tmp_path: Path) -> None:
    found, _ = loudness.measure(tools, sound(tools, tmp_path / "none.wav", "0", 2))
    assert (found.momentary_max, found.short_term_max) == (None, None)
    assert found.curve is not None
    assert set(found.curve.momentary) == {None}


@pytest.mark.parametrize(
    ("seconds", "per_point"), [(600, 0.1), (600.1, 0.2), (3600, 1), (3 * 3600, 2), (24 * 3600, 20)]
)
def test_a_long_curve_keeps_its_peaks(seconds: float, per_point: float) -> None:
    count = round(seconds * 10)
    values = [-30.0] * count
    values[count // 2] = -5.0
    found = loudness.curve(values, [-120.0] * count)
    assert found.seconds_per_point == per_point
    assert len(found.momentary) == math.ceil(round(seconds / per_point, 6)) <= 6000
    assert [n for n, value in enumerate(found.momentary) if value == -5] == [int(count // 2 * 0.1 / per_point + 1e-9)]
    assert set(found.momentary) == {-30, -5}
    assert set(found.short_term) == {None}


def test_the_sound_comes_along(tools: Tools, tmp_path: Path) -> None:
    """One pass measures and decodes, and both see the whole."""
    taken = bytearray()
    path = sound(tools, tmp_path / "tone.wav", tone(-23), 5.03)
    found, _ = loudness.measure(tools, path, on_sound=taken.extend)
    assert found == loudness.measure(tools, path)[0]
    (tmp_path / "taken.au").write_bytes(taken)
    [stream] = ffprobe.streams(tools, tmp_path / "taken.au")
    assert (stream["codec_name"], stream["channels"], stream["sample_rate"]) == ("pcm_s16be", 2, "48000")
    assert float(stream["duration"]) == pytest.approx(5.03, abs=1e-4)
