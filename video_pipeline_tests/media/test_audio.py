"""The encoded sound, decoded again and looked at sample by sample."""

from __future__ import annotations

import itertools
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from video_pipeline import presets
from video_pipeline.errors import SourceError
from video_pipeline.media import audio, probe
from video_pipeline.media.model import AudioPlan, EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media.release import run_ffmpeg

RATE = 48_000
PICTURES = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=3"]
BEEP = "sine=frequency=1000:sample_rate=48000:duration=3,volume='between(t,1,1.5)':eval=frame"
"""Silent but for a tone from 1 to 1.5 s."""


def planned(tools: Tools, clip: Path) -> tuple[EncodingPlan, AudioPlan]:
    plan = make_plan(probe.probe(tools, clip), "0" * 64, presets.load("draft"))
    return plan, plan.audio[0]


def samples(tools: Tools, path: Path) -> NDArray[np.float32]:
    """Of both channels, as a player hears them."""
    argv = [
        str(tools.ffmpeg),
        "-v",
        "error",
        "-nostdin",
        "-i",
        str(path),
        "-f",
        "f32le",
        "-ac",
        "2",
        "-ar",
        str(RATE),
        "-",
    ]
    raw = subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
    return np.frombuffer(raw, np.float32).reshape(-1, 2)


def heard(found: NDArray[np.float32]) -> tuple[float, float]:
    """From when to when there is sound, s."""
    loud = np.flatnonzero(np.abs(found[:, 0]) > 0.02)
    return loud[0] / RATE, loud[-1] / RATE


def encoded(tools: Tools, clip: Path, out: Path) -> NDArray[np.float32]:
    plan, sound = planned(tools, clip)
    (track,) = audio.encode(tools, clip, plan, [sound], out)
    assert track.file.size == (out / "audio-1.mp4").stat().st_size
    return samples(tools, out / "audio-1.mp4")


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_sound_stays_where_it_was(tools: Tools, tmp_path: Path, ending: str) -> None:
    clip = tmp_path / f"clip.{ending}"
    run_ffmpeg(tools, *PICTURES, "-f", "lavfi", "-i", BEEP, "-c:a", "pcm_s16le" if ending == "mkv" else "aac", clip)
    begin, end = heard(encoded(tools, clip, tmp_path))
    assert begin == pytest.approx(1, abs=0.03)
    assert end == pytest.approx(1.5, abs=0.03)


def test_sound_that_starts_late_is_silent_before(tools: Tools, tmp_path: Path) -> None:
    clip = tmp_path / "late.mkv"
    tone = ["-itsoffset", "0.7", "-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000:duration=1"]
    run_ffmpeg(tools, *PICTURES, *tone, "-c:a", "pcm_s16le", clip)
    found = encoded(tools, clip, tmp_path)
    begin, end = heard(found)
    assert begin == pytest.approx(0.7, abs=0.03)
    assert end == pytest.approx(1.7, abs=0.03)
    assert len(found) / RATE == pytest.approx(3, abs=0.03)


@pytest.mark.parametrize(
    ("late", "begins"), [pytest.param("0.4", 1.0, id="the first picture stands"), pytest.param("0.08", 0.92, id="cut")]
)
def test_sound_before_the_first_picture(tools: Tools, tmp_path: Path, late: str, begins: float) -> None:
    clip = tmp_path / "early.mkv"
    beep = ["-f", "lavfi", "-i", BEEP]
    run_ffmpeg(tools, "-itsoffset", late, *PICTURES, *beep, "-c:a", "pcm_s16le", clip)
    begin, end = heard(encoded(tools, clip, tmp_path))
    assert begin == pytest.approx(begins, abs=0.03)
    assert end == pytest.approx(begins + 0.5, abs=0.03)


def test_a_gap_in_the_sound_stays_a_gap(tools: Tools, tmp_path: Path) -> None:
    """Packets from 1 to 2 s are missing; what follows must not move forward."""
    whole, gap = tmp_path / "whole.mkv", tmp_path / "gap.mkv"
    tone = "sine=frequency=1000:sample_rate=48000:duration=3"
    run_ffmpeg(tools, *PICTURES, "-f", "lavfi", "-i", tone, "-c:a", "pcm_s16le", whole)
    drop = "noise=drop=between(pts*tb\\,1\\,2)"
    run_ffmpeg(tools, "-i", whole, "-c", "copy", "-bsf:a", drop, gap)
    found = np.abs(encoded(tools, gap, tmp_path)[:, 0])
    assert found[int(1.15 * RATE) : int(1.9 * RATE)].max() < 0.01
    assert found[int(2.2 * RATE) : int(2.9 * RATE)].max() > 0.05
    assert found[int(0.2 * RATE) : int(0.9 * RATE)].max() > 0.05
    packets = ffprobe.show(tools, tmp_path / "audio-1.mp4", "-show_packets")["packets"]
    assert {b - a for a, b in itertools.pairwise(int(packet["pts"]) for packet in packets)} == {1024}


@pytest.mark.parametrize(
    ("seconds", "end", "frames"),
    [
        pytest.param("1", 3, 75, id="much shorter: silence to the last picture"),
        pytest.param("2.7", 2.7, 75, id="a little shorter: as in the source"),
        pytest.param("3.4", 3.4, 75, id="a little longer: as in the source"),
        pytest.param("5", 5, 125, id="much longer: the last picture stays"),
    ],
)
def test_where_it_ends(tools: Tools, tmp_path: Path, seconds: str, end: float, frames: int) -> None:
    """Pictures last 3 s."""
    clip = tmp_path / "clip.mkv"
    run_ffmpeg(tools, *PICTURES, "-f", "lavfi", "-i", f"sine=duration={seconds}", "-c:a", "pcm_s16le", clip)
    plan, sound = planned(tools, clip)
    assert float(sound.end) == pytest.approx(end, abs=0.001)
    assert plan.frames == frames
    found = encoded(tools, clip, tmp_path)
    assert len(found) / RATE == pytest.approx(end, abs=0.022)
    assert heard(found)[1] == pytest.approx(float(seconds), abs=0.03)


@pytest.mark.parametrize(
    ("layout", "codec"), [("mono", "pcm_s16le"), ("stereo", "aac"), ("5.1", "ac3"), ("7.1", "pcm_s24le")]
)
def test_every_layout_becomes_stereo(tools: Tools, tmp_path: Path, layout: str, codec: str) -> None:
    clip = tmp_path / "clip.mkv"
    sound = f"sine=frequency=500:duration=3:sample_rate=44100,volume=4,aformat=channel_layouts={layout}"
    run_ffmpeg(tools, *PICTURES, "-f", "lavfi", "-i", sound, "-c:a", codec, clip)
    found = encoded(tools, clip, tmp_path)
    (stream,) = ffprobe.streams(tools, tmp_path / "audio-1.mp4")
    assert (stream["codec_name"], stream["profile"], stream["channels"]) == ("aac", "LC", 2)
    spectrum = np.abs(np.fft.rfft(found[RATE : 2 * RATE], axis=0))
    assert list(spectrum.argmax(axis=0)) == [500, 500]


def test_the_planned_stream_is_taken(tools: Tools, tmp_path: Path) -> None:
    """The default one of two, not the first."""
    clip = tmp_path / "two.mkv"
    tones = [word for hertz in (400, 900) for word in ("-f", "lavfi", "-i", f"sine=frequency={hertz}:duration=3")]
    maps = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-disposition:a:0", "0", "-disposition:a:1", "default"]
    run_ffmpeg(tools, *PICTURES, *tones, *maps, "-c:a", "pcm_s16le", clip)
    found = encoded(tools, clip, tmp_path)
    assert int(np.argmax(np.abs(np.fft.rfft(found[RATE : 2 * RATE, 0])))) == 900


def test_nothing_of_the_source_or_the_build_is_in_the_file(tools: Tools, tmp_path: Path) -> None:
    clip = tmp_path / "tagged.mp4"
    tags = ["-metadata", "title=secret title", "-metadata:s:a", "handler_name=secret handler"]
    run_ffmpeg(tools, *PICTURES, "-f", "lavfi", "-i", BEEP, *tags, clip)
    encoded(tools, clip, tmp_path)
    content = (tmp_path / "audio-1.mp4").read_bytes()
    assert b"secret" not in content
    assert b"Lavf" not in content
    assert b"Lavc" not in content


def test_sound_that_cannot_be_decoded_is_a_source_error(tools: Tools, clip: Path, tmp_path: Path) -> None:
    plan, sound = planned(tools, clip)
    with pytest.raises(SourceError, match="audio cannot be decoded"):
        audio.encode(tools, clip, plan, [sound.model_copy(update={"stream": 7})], tmp_path)


def test_key_changes_with_what_shapes_the_sound(tools: Tools, clip: Path) -> None:
    plan, sound = planned(tools, clip)

    def key(build: str = "1", *, of: dict[str, Any] | None = None, track: dict[str, Any] | None = None) -> str:
        return audio.checkpoint_key(plan.model_copy(update=of), sound.model_copy(update=track), build)

    others = [
        key("2"),
        key(of={"source_sha256": "1" * 64}),
        key(of={"start": Fraction(1, 25)}),
        key(track={"end": Fraction(2)}),
        key(track={"bit_rate": 64_000}),
        key(track={"stream": 2}),
    ]
    assert len({key(), *others}) == 7
    assert key(of={"preset": "another", "gop": 48, "frames": 99}) == key()
    assert key(track={"label": "Another", "default": False}) == key()
