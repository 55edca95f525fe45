from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.errors import SourceError
from video_pipeline.media import probe
from video_pipeline.media.plan import make_plan, output_rate
from video_pipeline.media.technical import FrameTiming
from video_pipeline.media.tools import Tools

WEB = presets.load("web")


def timing(frames: int, step: Fraction, *, variable: bool = False) -> FrameTiming:
    return FrameTiming(
        frames=frames,
        first=Fraction(0),
        end=frames * step,
        common_step=step,
        short_step=step,
        longest_step=step,
        last_step=step,
        variable=variable,
    )


@pytest.mark.parametrize(
    ("step", "variable", "rate"),
    [
        pytest.param(Fraction(1, 25), False, Fraction(25), id="25"),
        pytest.param(Fraction(1001, 30000), False, Fraction(30000, 1001), id="29.97"),
        pytest.param(Fraction("0.0417"), False, Fraction(24000, 1001), id="23.976 in milliseconds"),
        pytest.param(Fraction(1, 100), False, Fraction(50), id="100 is halved under a cap of 60"),
        pytest.param(Fraction(1, 120), False, Fraction(60), id="120 is halved"),
        pytest.param(Fraction(1, 240), False, Fraction(60), id="240 is quartered"),
        pytest.param(Fraction(1, 17), False, Fraction(17), id="an odd constant rate is kept"),
        pytest.param(Fraction(8, 100), True, Fraction(25, 2), id="variable, up to the next standard rate"),
        pytest.param(Fraction(33, 1000), True, Fraction(30), id="variable, milliseconds"),
        pytest.param(Fraction(41, 1000), True, Fraction(25), id="variable, above a standard rate"),
        pytest.param(Fraction(1), False, Fraction(10), id="1 is shown ten times"),
        pytest.param(Fraction(1, 6), False, Fraction(12), id="6 is doubled"),
    ],
)
def test_output_rate(step: Fraction, variable: bool, rate: Fraction) -> None:
    assert output_rate(timing(100, step, variable=variable), Fraction(25), 60) == rate


def test_grid_of_a_real_clip(tools: Tools, make_clip: Callable[..., Path]) -> None:
    clip = make_clip(seconds=4, rate="30000/1001")
    plan = make_plan(probe.probe(tools, clip), "0" * 64, WEB)
    assert plan.rate == Fraction(30000, 1001)
    assert plan.gop == 60
    assert plan.segment == 120
    assert plan.frames == 120
    assert [(track.name, track.stream, track.end) for track in plan.audio] == [("audio-1", 1, Fraction(4))]


def test_no_audio(tools: Tools, make_clip: Callable[..., Path]) -> None:
    plan = make_plan(probe.probe(tools, make_clip(audio=False)), "0" * 64, WEB)
    assert plan.audio == ()


def test_a_clock_that_makes_no_sense_is_refused(tools: Tools, clip: Path) -> None:
    found = probe.probe(tools, clip)
    mad = found.model_copy(update={"timing": timing(2, Fraction(90000))})
    with pytest.raises(SourceError, match="time stamps span 180000"):
        make_plan(mad, "0" * 64, WEB)


def test_plan_survives_json(tools: Tools, clip: Path) -> None:
    plan = make_plan(probe.probe(tools, clip), "0" * 64, WEB)
    assert type(plan).model_validate_json(plan.model_dump_json()) == plan
