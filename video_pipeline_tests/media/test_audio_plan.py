"""Which tracks are planned for a source, what they are called, and which is the default."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from video_pipeline import presets
from video_pipeline.media import audio, audio_plan, probe
from video_pipeline.media.model import AudioPlan
from video_pipeline.media.options import Options
from video_pipeline.media.plan import make_plan
from video_pipeline.media.technical import AudioStream, OtherStream, TechnicalMetadata
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import release
from video_pipeline_tests.media.release import run_ffmpeg

DRAFT = presets.load("draft")


def stream(index: int, **known: Any) -> AudioStream:
    plain = {"codec": "aac", "channels": 2, "layout": "stereo", "sample_rate": 48_000}
    times = {"first": Fraction(0), "end": Fraction(4), "heard": Fraction(4)}
    return AudioStream.model_validate({"index": index, **plain, **times, **known})


SURROUND = {"channels": 6, "layout": "5.1(side)"}
BROKEN = {"first": None, "end": None, "heard": Fraction(0), "broken": 7}


@pytest.fixture(scope="module")
def source(tools: Tools, clip: Path) -> TechnicalMetadata:
    return probe.probe(tools, clip)


def planned(source: TechnicalMetadata, *streams: AudioStream, wish: str = "keep") -> tuple[AudioPlan, ...]:
    options = Options.model_validate({"audio": wish})
    return make_plan(source.model_copy(update={"audio": streams}), "0" * 64, DRAFT, options).audio


def labels(*streams: AudioStream) -> list[str]:
    four = Fraction(4)
    source = TechnicalMetadata.model_construct(audio=streams)
    return [track.label for track in audio_plan.tracks(source, DRAFT.audio, "keep", Fraction(0), four)]


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        ([stream(1)], ["Audio"]),
        ([stream(1), stream(2)], ["Audio 1", "Audio 2"]),
        ([stream(1, language="eng"), stream(2, language="ger")], ["English", "Deutsch"]),
        ([stream(1, language="eng"), stream(2, language="en")], ["English", "English (2)"]),
        ([stream(1, language="eng", title="Director's commentary")], ["Director's commentary"]),
        ([stream(1, title='a "quoted"\nline\x00')], ["a quoted line"]),
        ([stream(1, title=" " * 9)], ["Audio"]),
        ([stream(1, title="x" * 200)], ["x" * 60]),
        ([stream(1, language="pt-BR")], ["Português (BR)"]),
        ([stream(1, language="xyz")], ["xyz"]),
        ([stream(1, language="fre", **SURROUND)], ["Français", "Français (5.1)"]),
        ([stream(1, title="Surround 5.1", **SURROUND)], ["Surround 5.1 (stereo)", "Surround 5.1"]),
        ([stream(1, title="A (5.1)"), stream(2, title="A", **SURROUND)], ["A (5.1)", "A", "A (5.1) (2)"]),
    ],
)
def test_labels_are_readable_and_differ(streams: list[AudioStream], expected: list[str]) -> None:
    assert labels(*streams) == expected


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        *[
            ("eng", "en"),
            ("deu", "de"),
            ("ger", "de"),
            ("fre", "fr"),
            ("chi", "zh"),
            ("pt-BR", "pt-BR"),
            ("EN", "en"),
            ("pt_br", "pt-BR"),
        ],
        *[("fil", "fil"), ("und", None), ("und-x-private", None), ("zxx", None), ("", None), (None, None)],
        *[("en,playlist_name=evil.m3u8", None), ("en\nout=x", None), ("English (UK), stereo", None)],
    ],
)
def test_languages_are_tags_or_none(source: TechnicalMetadata, tag: str | None, language: str | None) -> None:
    (track,) = planned(source, stream(1, language=tag))
    assert track.language == language


def test_the_default_of_the_source_comes_first(source: TechnicalMetadata) -> None:
    made = planned(source, stream(1, **SURROUND), stream(2, default=True), stream(3, default=True))
    assert [(track.name, track.stream, track.channels, track.default) for track in made] == [
        ("audio-1", 2, 2, True),
        ("audio-2", 1, 2, False),
        ("audio-2-surround", 1, 6, False),
        ("audio-3", 3, 2, False),
    ]
    assert [track.bit_rate for track in made] == [128_000, 128_000, 320_000, 128_000]


def test_stereo_and_none(source: TechnicalMetadata) -> None:
    streams = stream(1, **SURROUND), stream(2)
    assert [(track.stream, track.channels) for track in planned(source, *streams, wish="stereo")] == [(1, 2)]
    assert planned(source, *streams, wish="none") == ()


def test_what_cannot_be_decoded_is_left_out_by_name(source: TechnicalMetadata) -> None:
    """The next good one becomes the default."""
    lost = OtherStream(index=4, kind="audio", codec="dolby_e")
    streams = (stream(1, default=True, title="Main", **BROKEN), stream(2), stream(3))
    plan = make_plan(source.model_copy(update={"audio": streams, "others": (lost,)}), "0" * 64, DRAFT)
    assert [(track.stream, track.default) for track in plan.audio] == [(2, True), (3, False)]
    assert [(one.name, one.why) for one in plan.audio_left_out] == [
        ("stream 1 (Main)", "nothing of it can be decoded (aac)"),
        ("stream 4", "its codec (dolby_e) is not supported"),
    ]


def test_a_clock_that_jumps_does_not_make_the_video_longer(source: TechnicalMetadata) -> None:
    """One stray packet a day later."""
    plan = make_plan(source.model_copy(update={"audio": (stream(1, end=Fraction(90_000)),)}), "0" * 64, DRAFT)
    assert (plan.frames, plan.audio[0].end) == (100, Fraction(4))


def test_silence_where_the_preset_asks_for_it(tools: Tools, source: TechnicalMetadata, tmp_path: Path) -> None:
    silent = DRAFT.model_copy(update={"audio": DRAFT.audio.model_copy(update={"silence": True})})
    mute = source.model_copy(update={"audio": ()})
    assert make_plan(mute, "0" * 64, silent, Options(audio="none")).audio == ()
    plan = make_plan(mute, "0" * 64, silent)
    (made,) = audio.encode(tools, tmp_path, plan, plan.audio, tmp_path)
    log = release.run_log(tools, "-i", tmp_path / f"{made.name}.mp4", "-af", "astats=metadata=0", "-f", "null", "-")
    assert re.findall(r"Peak level dB: (\S+)", log) == ["-inf"] * 3  # left, right, both
    assert "Duration: 00:00:04.00" in log


@pytest.fixture(scope="module")
def rich(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5.1, a broken track, and a default one in French."""
    path = tmp_path_factory.mktemp("rich") / "rich.mkv"
    whole = path.with_name("whole.mkv")
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4"]
    for hertz in (500, 700, 900):
        inputs += ["-f", "lavfi", "-i", f"sine={hertz}:sample_rate=48000:duration=4"]
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-ac:a:0", "6", "-c:a:0", "ac3", "-c:a:1", "aac"]
    tags = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:2", "language=fre", "-disposition:a:2", "default"]
    maps = [word for n in range(4) for word in ("-map", str(n))]
    run_ffmpeg(tools, *inputs, *maps, *codecs, "-c:a:2", "flac", *tags, "-disposition:a:0", "0", whole)
    run_ffmpeg(tools, "-i", whole, "-map", "0", "-c", "copy", "-bsf:a:1", "noise=amount=1", path)
    return path


def test_a_broken_track_does_not_lose_the_others(tools: Tools, rich: Path, tmp_path: Path) -> None:
    made = release.make(tools, rich, tmp_path)
    assert [(track.name, track.label, track.language) for track in made.plan.audio] == [
        ("audio-1", "Français", "fr"),
        ("audio-2", "English", "en"),
        ("audio-2-surround", "English (5.1)", "en"),
    ]
    assert [one.name for one in made.plan.audio_left_out] == ["stream 2"]
    assert made.failed() == {}
    (damage,) = [check for check in made.inspect().checks if not check.passed]
    assert "sound: stream 2 is left out: nothing of it can be decoded" in damage.measured


def test_sound_that_is_lost_is_counted(tools: Tools, tmp_path: Path) -> None:
    """Of two tracks the default one is spoiled from 1.4 s on: it is told how much, and the other one is the default."""
    clip = tmp_path / "spoiled.mkv"
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=5"]
    inputs += ["-f", "lavfi", "-i", "sine=440:sample_rate=48000:duration=5"]
    spoil = "noise=amount='if(between(pts*tb\\,1.4\\,4.6)\\,1\\,-1)'"
    maps = ["-map", "0", "-map", "1", "-map", "1", "-disposition:a:0", "default", "-disposition:a:1", "0"]
    release.run_ffmpeg(tools, *inputs, *maps, "-c:v", "libx264", "-c:a", "aac", "-bsf:a:0", spoil, clip)
    plan = make_plan(probe.probe(tools, clip), "0" * 64, DRAFT)
    assert [(track.stream, track.default) for track in plan.audio] == [(2, True), (1, False)]
    assert plan.audio[0].broken == plan.audio[0].lost == 0
    assert plan.audio[1].broken > 100
    assert plan.audio[1].lost == pytest.approx(3.2, abs=0.3)


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "tracks", "left_out"),
    [
        ("natural/minecraft_1080p60_2audio_5s.mp4", [("audio-1", 2), ("audio-2", 2)], []),
        ("natural/bbb_720p25_5.1_5s.mp4", [("audio-1", 2), ("audio-1-surround", 6)], []),
        ("awkward/interlaced_imx_mxf_8ch.mxf", [("audio-1", 2), ("audio-1-surround", 8)], []),
        ("awkward/hdr_meridian_prores_720p5994.mxf", [("audio-1", 2), ("audio-2", 2)], []),
        ("awkward/ts_atsc_720p5994_ac3x2.ts", [("audio-1", 2), ("audio-1-surround", 6), ("audio-2", 2)], []),
        ("hostile/missing_stsd_audio.mp4", [], ["stream 1"]),
    ],
)
def test_real_clips(tools: Tools, media: Path, name: str, tracks: list[tuple[str, int]], left_out: list[str]) -> None:
    plan = make_plan(probe.probe(tools, media / name), "0" * 64, DRAFT)
    assert [(track.name, track.channels) for track in plan.audio] == tracks
    assert [one.name for one in plan.audio_left_out] == left_out
