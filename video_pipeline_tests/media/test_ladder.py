from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from video_pipeline import presets
from video_pipeline.media.ladder import ladder

WEB = presets.load("web")


@pytest.mark.parametrize(
    ("display", "preset", "sizes"),
    [
        pytest.param((1280, 720), "web", ["1280x720", "854x480", "640x360", "426x240"], id="720p"),
        pytest.param((2160, 3840), "1080p", ["1080x1920", "720x1280", "480x854", "360x640", "240x426"], id="portrait"),
        pytest.param((320, 180), "web", ["320x180"], id="smaller than every rung"),
        pytest.param(
            (1280, 1240), "web", ["1280x1240", "1114x1080", "744x720", "496x480", "372x360", "248x240"], id="own size"
        ),
        pytest.param((864, 500), "web", ["830x480", "622x360", "414x240"], id="within 10 % of a rung"),
        pytest.param((560, 280), "web", ["560x280", "480x240"], id="own size"),
        pytest.param((314, 273), "web", ["314x272", "276x240"], id="odd"),
        pytest.param((1920, 1080), "480p", ["854x480", "640x360", "426x240"], id="capped"),
    ],
)
def test_sizes(display: tuple[int, int], preset: str, sizes: list[str]) -> None:
    rungs = ladder(display, Fraction(25), presets.load(preset))
    assert [f"{rung.width}x{rung.height}" for rung in rungs] == sizes


def test_rungs_are_named_by_their_shorter_side() -> None:
    assert [rung.name for rung in ladder((720, 1280), Fraction(25), WEB)] == [
        "h264-720p",
        "h264-480p",
        "h264-360p",
        "h264-240p",
    ]


def test_each_family_has_its_own_table() -> None:
    """In one order; and a source below a table gets its own size, at the bit rate of the smallest by area."""
    names = [rung.name for rung in ladder((1280, 720), Fraction(25), presets.load("web+"))]
    sizes = {"h264": (720, 480, 360, 240), "hevc": (720, 480, 360), "av1": (720, 480, 360)}
    assert names == [f"{family}-{height}p" for family, heights in sizes.items() for height in heights]
    small = ladder((426, 240), Fraction(25), presets.load("web+"))
    assert [rung.name for rung in small] == ["h264-240p", "hevc-240p", "av1-240p"]
    hevc = presets.load("web+").families["hevc"].rungs[-1]
    assert small[1].maxrate == round(hevc.maxrate * 1000 * Fraction(240**2, 360**2))


def test_fast_video_gets_a_higher_ceiling() -> None:
    slow, fast = (ladder((1920, 1080), Fraction(rate), WEB)[0] for rate in (30, 60))
    assert fast.maxrate == slow.maxrate * 3 / 2


@example(width=793, height=793, preset="web", rate=Fraction(24000, 1001))
@given(
    width=st.integers(1, 8192),
    height=st.integers(1, 8192),
    preset=st.sampled_from(["web", "480p", "1080p"]),
    rate=st.sampled_from([Fraction(24000, 1001), Fraction(60)]),
)
def test_every_source_gets_a_sound_ladder(width: int, height: int, preset: str, rate: Fraction) -> None:
    rungs = ladder((width, height), rate, presets.load(preset))
    assert rungs
    assert len({rung.name for rung in rungs}) == len(rungs)
    for upper, lower in pairwise(rungs):
        assert upper.width * upper.height > lower.width * lower.height
        assert upper.maxrate >= lower.maxrate
    for rung in rungs:
        assert rung.width % 2 == rung.height % 2 == 0
        enlarged = 16 if min(width, height) < 16 else 1
        assert 2 <= rung.width <= width * enlarged
        assert 2 <= rung.height <= height * enlarged
        assert max(rung.width, rung.height) <= max(width, height, 4096)
        # The shape stays, as far as even numbers allow.
        assert abs(rung.width * height - rung.height * width) <= 2 * max(width, height)
