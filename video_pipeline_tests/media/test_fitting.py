"""The sizes encoders take, as the encoders themselves have it, and presets that have no rung for a source."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.errors import RequestError
from video_pipeline.media import fitting, probe
from video_pipeline.media.plan import make_plan
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.tools import Tools
from video_pipeline.presets.families import SOFTWARE
from video_pipeline.presets.model import Preset


@pytest.fixture(scope="module")
def about(tools: Tools, make_clip: Callable[..., Path]) -> TechnicalMetadata:
    return probe.probe(tools, make_clip())


def sized(about: TechnicalMetadata, width: int, height: int) -> TechnicalMetadata:
    return about.model_copy(update={"video": about.video.model_copy(update={"width": width, "height": height})})


def encodes(tools: Tools, codec: str, size: str) -> bool:
    picture = ["-f", "lavfi", "-i", f"color=size={size}:duration=1,format=yuv420p", "-frames:v", "1"]
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", *picture, "-c:v", codec, "-f", "null", "-"]
    return subprocess.run(argv, capture_output=True, timeout=60).returncode == 0


@pytest.mark.parametrize("family", SOFTWARE)
def test_the_smallest_and_the_largest_are_the_encoders_own(tools: Tools, family: str) -> None:
    codec, shortest = SOFTWARE[family], fitting.SHORTEST.get(family, 2)  # type: ignore[index]
    assert encodes(tools, codec, f"64x{shortest}")
    assert shortest == 2 or not encodes(tools, codec, f"64x{shortest - 2}")
    if family in ("h264", "av1"):
        assert encodes(tools, codec, f"{fitting.LONGEST}x64")
        assert not encodes(tools, codec, f"{fitting.LONGEST + 2}x64")


def test_what_an_encoder_would_not_take_is_left_out(about: TechnicalMetadata) -> None:
    """A line of pixels is for H.264 and AV1; of a panorama the rungs that are not too long."""
    plan = make_plan(sized(about, 4096, 2), "0" * 64, presets.load("web+"))
    assert [(rung.name, rung.width) for rung in plan.rungs] == [("h264-2p", 4096), ("av1-2p", 4096)]
    assert [encoder.family for encoder in plan.encoders] == ["h264", "av1"]
    assert [(left.name, left.why) for left in plan.rungs_left_out] == [
        ("hevc-2p", "4096x2 is narrower than hevc encoders take (16 pixels)")
    ]
    panorama = make_plan(sized(about, 30000, 2000), "0" * 64, presets.load("web"))
    assert [rung.name for rung in panorama.rungs] == ["h264-1080p", "h264-720p", "h264-480p", "h264-360p", "h264-240p"]
    assert [left.name for left in panorama.rungs_left_out] == ["h264-2000p", "h264-1440p"]


def test_a_preset_without_a_rung_is_refused(about: TechnicalMetadata) -> None:
    table = presets.load("web+").model_dump()
    alone = Preset.model_validate({**table, "h264": None, "av1": None})
    with pytest.raises(RequestError) as caught:
        make_plan(sized(about, 4096, 2), "0" * 64, alone)
    assert str(caught.value) == (
        "preset web+ has no rung for this video's size (hevc-2p: 4096x2 is narrower than hevc encoders take (16 "
        "pixels)); take one with H.264 or AV1"
    )
