"""A phone's recording at 120 pictures per second is slowed down if the preset honours its tag, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.media import probe
from video_pipeline.media.checks.source import frame_times
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import encoding
from video_pipeline_tests.media.release import run_ffmpeg

DRAFT = presets.load("draft")
HONOUR = DRAFT.model_copy(update={"slow_motion": "honour"})


def recorded(tools: Tools, path: Path, rate: int, taken: str) -> Path:
    """A second of pictures that become brighter, with sound."""
    light = f"color=black:size=64x64:rate={rate}:duration=1,format=yuv420p,geq=lum='20+200*T':cb=128:cr=128"
    inputs = ["-f", "lavfi", "-i", light, "-f", "lavfi", "-i", "sine=duration=1", "-c:v", "libx264", "-c:a", "aac"]
    tag = ["-movflags", "use_metadata_tags", "-metadata", f"com.android.capture.fps={taken}"]
    run_ffmpeg(tools, *inputs, *tag, path)
    return path


def test_it_is_honoured(tools: Tools, tmp_path: Path) -> None:
    clip = recorded(tools, tmp_path / "fast.mp4", 120, "120.000000")
    about = probe.probe(tools, clip)
    plan = make_plan(about, "0" * 64, HONOUR)
    assert plan.rate == 30
    assert plan.frames == 120
    assert plan.audio == ()
    made = encoding.encode(tools, clip, plan, plan.rungs[-1:], tmp_path)
    rung = tmp_path / f"{plan.rungs[-1].name}.mp4"
    assert float(ffprobe.times(tools, rung)[-1]) == pytest.approx(119 / 30, abs=0.001)
    for frame in (0, 60, 119):  # frame k shows what was taken at k/120
        assert max(ffprobe.pixels(tools, rung, frame=frame)) == pytest.approx(
            max(ffprobe.pixels(tools, clip, frame=frame)), abs=3
        )
    assert frame_times(plan, made.shown).passed


@pytest.mark.parametrize(
    ("preset", "rate", "taken"),
    [
        pytest.param(DRAFT, 120, "120.000000", id="the preset ignores it"),
        pytest.param(HONOUR, 30, "240.000000", id="slow already"),
        pytest.param(HONOUR, 30, "30.000000", id="not slow"),
        pytest.param(HONOUR, 120, "many", id="no number"),
    ],
)
def test_else_it_plays_as_its_clock_says(
    tools: Tools, tmp_path: Path, preset: presets.Preset, rate: int, taken: str
) -> None:
    plan = make_plan(probe.probe(tools, recorded(tools, tmp_path / "a.mp4", rate, taken)), "0" * 64, preset)
    assert float(plan.duration) == pytest.approx(1, abs=0.05)
    assert len(plan.audio) == 1
