from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.errors import SourceError
from video_pipeline.media import audio, encode, probe, renditions
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import encoding

DRAFT = presets.load("draft")


def planned(tools: Tools, clip: Path) -> EncodingPlan:
    return make_plan(probe.probe(tools, clip), "0" * 64, DRAFT)


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60"])
def test_rungs_share_the_grid(tools: Tools, make_clip: Callable[..., Path], tmp_path: Path, rate: str) -> None:
    clip = make_clip(seconds=5, size="640x480", rate=rate, cuts=False)
    plan = planned(tools, clip)
    tracks = encoding.encode(tools, clip, plan, plan.rungs, tmp_path).tracks
    assert [track.name for track in tracks] == ["h264-480p", "h264-360p", "h264-240p"]
    for rung in plan.rungs:
        path = tmp_path / f"{rung.name}.mp4"
        shown = ffprobe.frames(tools, path)
        assert len(shown) == plan.frames == round(5 * Fraction(rate))
        keys = [n for n, frame in enumerate(shown) if frame["key_frame"]]
        assert keys == list(range(0, plan.frames, plan.gop))
        times = [Fraction(frame["pts_time"]) for frame in shown]
        assert all(abs(time - n / plan.rate) < Fraction(1, 1000) for n, time in enumerate(times))
        stream = ffprobe.streams(tools, path)[0]
        assert (stream["width"], stream["height"]) == (rung.width, rung.height)
        assert stream["pix_fmt"] == "yuv420p"


def test_bit_rates_are_those_of_the_packets(tools: Tools, make_clip: Callable[..., Path], tmp_path: Path) -> None:
    clip = make_clip(seconds=5, cuts=False)
    plan = planned(tools, clip)
    (track,) = encoding.encode(tools, clip, plan, plan.rungs, tmp_path).tracks
    packets = ffprobe.show(tools, tmp_path / f"{track.name}.mp4", "-show_packets")["packets"]
    total = sum(int(packet["size"]) for packet in packets)
    assert track.bit_rate == pytest.approx(8 * total / 5, rel=0.001)
    first = sum(int(packet["size"]) for packet in packets if float(packet["pts_time"]) < 4 - 0.01)
    assert track.peak_bit_rate == pytest.approx(8 * first / 4, rel=0.001)


def test_the_same_input_gives_the_same_bytes(tools: Tools, clip: Path, tmp_path: Path) -> None:
    plan = planned(tools, clip)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    made = [
        (
            encoding.encode(tools, clip, plan, plan.rungs, tmp_path / name),
            audio.encode(tools, clip, plan, plan.audio, tmp_path / name),
        )
        for name in ("a", "b")
    ]
    assert made[0] == made[1]


def test_a_rung_alone_is_the_same_as_among_others(tools: Tools, make_clip: Callable[..., Path], tmp_path: Path) -> None:
    """A retry encodes only what is missing, and must not change what it makes."""
    clip = make_clip(size="640x480", seconds=2)
    plan = planned(tools, clip)
    both = encoding.encode(tools, clip, plan, plan.rungs, tmp_path).tracks
    (tmp_path / "alone").mkdir()
    alone = encoding.encode(tools, clip, plan, plan.rungs[1:2], tmp_path / "alone").tracks
    assert alone[0] == both[1]


@pytest.mark.media
@pytest.mark.parametrize(
    "name",
    [
        "awkward/rot180_vfr_phone_720p.mp4",
        "awkward/rot90_1frame_100x60.mp4",
        "awkward/tiny_16x8.flv",
        "awkward/start_delayed_1.07s.mp4",
        "awkward/sar2-3_640x360.mp4",
    ],
)
def test_real_clips_come_out_as_planned(tools: Tools, media: Path, tmp_path: Path, name: str) -> None:
    plan = planned(tools, media / name)
    encoding.encode(tools, media / name, plan, plan.rungs[-1:], tmp_path)
    path = tmp_path / f"{plan.rungs[-1].name}.mp4"
    assert len(ffprobe.frames(tools, path)) == plan.frames


@pytest.mark.media
def test_rotation_is_applied(tools: Tools, media: Path, tmp_path: Path) -> None:
    """The picture of a clip turned by 180 degrees is that of the stored one, read backwards."""
    clip = media / "awkward/rot180_568x320_3frames.mov"
    plan = planned(tools, clip)
    encoding.encode(tools, clip, plan, plan.rungs, tmp_path)
    ours = ffprobe.pixels(tools, tmp_path / f"{plan.rungs[0].name}.mp4", frame=0)
    stored = ffprobe.pixels(tools, clip, frame=0)  # ffmpeg turns it as players do
    assert max(abs(a - b) for a, b in zip(ours, stored, strict=True)) < 12
    assert max(abs(a - b) for a, b in zip(ours, stored[::-1], strict=True)) > 40


def test_audio_is_as_long_as_the_plan(tools: Tools, make_clip: Callable[..., Path], tmp_path: Path) -> None:
    clip = make_clip(seconds=5, rate="30000/1001")
    plan = planned(tools, clip)
    audio.encode(tools, clip, plan, plan.audio, tmp_path)
    (stream,) = ffprobe.streams(tools, tmp_path / "audio-1.mp4")
    assert (stream["codec_name"], stream["channels"], stream["sample_rate"]) == ("aac", 2, "48000")
    assert abs(Fraction(stream["duration"]) - plan.duration) < Fraction(1, 40)


def test_undecodable_source_is_a_source_error(tools: Tools, clip: Path, tmp_path: Path) -> None:
    plan = planned(tools, clip)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0" * 1000)
    with pytest.raises(SourceError, match="cannot be decoded"):
        renditions.make(tools, broken, probe.probe(tools, clip).timing, plan, plan.rungs, tmp_path)


def test_key_changes_with_what_shapes_the_bits(tools: Tools, clip: Path) -> None:
    plan = planned(tools, clip)
    rung = plan.rungs[0]
    keys = {
        encode.checkpoint_key(plan, rung, "build 1"),
        encode.checkpoint_key(plan, rung, "build 2"),
        encode.checkpoint_key(plan.model_copy(update={"frames": 99}), rung, "build 1"),
        encode.checkpoint_key(plan.model_copy(update={"source_sha256": "1" * 64}), rung, "build 1"),
        encode.checkpoint_key(plan, rung.model_copy(update={"crf": 24.0}), "build 1"),
    }
    assert len(keys) == 5
    renamed = plan.model_copy(update={"preset": "another name", "preset_digest": "x"})
    assert encode.checkpoint_key(renamed, rung, "build 1") in keys
