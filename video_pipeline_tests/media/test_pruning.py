"""Which rungs are kept, by examples worked out by hand and by properties of every ladder."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given

from video_pipeline.media.pruning import prune
from video_pipeline.media.targets import RungQuality

CEILING = 93


def ladder(*rungs: tuple[float, int]) -> list[RungQuality]:
    """From VMAF and kbit/s; the first is named "0"."""
    return [RungQuality(name=str(n), crf=23, vmaf=vmaf, bit_rate=rate * 1000) for n, (vmaf, rate) in enumerate(rungs)]


@pytest.mark.parametrize(
    ("rungs", "kept"),
    [
        pytest.param([(93, 760), (84, 395), (75, 255), (57, 140)], "0123", id="a trailer"),
        pytest.param([(93, 760), (90, 600), (80, 395)], "02", id="too near"),
        pytest.param([(93, 760), (90, 507), (88, 330)], "02", id="step below 1.5"),
        pytest.param([(93, 760), (90, 506), (88, 337)], "012", id="steps of 1.5 that buy little"),
        pytest.param([(93, 760), (86, 700)], "01", id="few bits, but a difference"),
        pytest.param([(93, 760), (87, 700)], "0", id="exactly 6"),
        pytest.param([(97, 900), (94, 500), (88, 300)], "12", id="nothing above what is enough"),
        pytest.param([(99, 900), (98, 500), (93, 300), (92.9, 200)], "23", id="the smallest that is enough stays"),
        pytest.param([(99, 90), (98, 50), (97, 40)], "2", id="all are enough"),
        pytest.param([(80, 5500), (60, 3000)], "01", id="none is enough"),
        pytest.param([(93, 100)], "0", id="one"),
    ],
)
def test_examples(rungs: list[tuple[float, int]], kept: str) -> None:
    stay, left_out = prune(ladder(*rungs), CEILING)
    assert "".join(rung.name for rung in stay) == kept
    assert {rung.name for rung in left_out} == {str(n) for n in range(len(rungs))} - set(kept)


def test_reasons() -> None:
    _, left_out = prune(ladder((97, 900), (94, 500), (90, 400), (70, 100)), CEILING)
    assert [(rung.name, rung.why) for rung in left_out] == [
        ("0", "1 has VMAF 94.0 already"),
        ("2", "1 is only 4.0 VMAF better for 1.25 times the bits"),
    ]


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 20_000)), min_size=1, max_size=8))
def test_what_is_left_is_a_ladder(rungs: list[tuple[float, int]]) -> None:
    stay, left_out = prune(ladder(*rungs), CEILING)
    assert len(stay) + len(left_out) == len(rungs)
    assert stay
    assert [int(rung.name) for rung in stay] == sorted(int(rung.name) for rung in stay)
    for upper, lower in itertools.pairwise(stay):
        assert upper.vmaf - lower.vmaf > 6 or upper.bit_rate / lower.bit_rate >= 1.5
        assert lower.vmaf < CEILING
