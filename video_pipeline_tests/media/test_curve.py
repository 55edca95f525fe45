"""Curves against what real encodes measured."""

from __future__ import annotations

import math

import pytest

from video_pipeline.media.curve import Curve, through
from video_pipeline.media.targets import Probe

TRAILER = {
    17: (97.63, 2324),
    20: (96.99, 1674),
    23: (95.82, 1209),
    26: (94.05, 854),
    29: (91.07, 614),
    33: (84.94, 409),
}
"""CRF to VMAF and kbit/s of 720p of 8 s of a trailer, x264 medium."""
DARK = {23: (99.84, 2718), 26: (98.90, 1959), 29: (95.61, 1470)}
"""Of 1080p of 4 s at night."""


def probe(table: dict[int, tuple[float, int]], crf: int) -> Probe:
    return Probe(crf=crf, vmaf=table[crf][0], bit_rate=table[crf][1] * 1000)


@pytest.mark.parametrize(("near", "far"), [(26, 20), (26, 29), (23, 29), (29, 33)])
def test_what_lies_near_is_met(near: int, far: int) -> None:
    first, second = probe(TRAILER, near), probe(TRAILER, far)
    for curve in (Curve(first), through(first, first, second), through(first, second, first)):
        for crf, (vmaf, rate) in TRAILER.items():
            if abs(crf - near) <= 3:
                assert curve.at(crf).vmaf == pytest.approx(vmaf, abs=0.8)
                assert curve.at(crf).bit_rate == pytest.approx(rate * 1000, rel=0.1)
                assert curve.crf_for(vmaf) == pytest.approx(crf, abs=1.1)


def test_a_steep_video_is_met_by_its_own_steepness() -> None:
    """Its probes may be of other frames than the one that counts."""
    first, second = probe(DARK, 26), probe(DARK, 29)
    assert through(second, first, second).crf_for(93) == pytest.approx(30.2, abs=0.3)
    assert Curve(second).crf_for(93) > 32
    moved = second.model_copy(update={"vmaf": 94.0})
    assert through(moved, first, second).crf_for(93) == pytest.approx(29.5, abs=0.2)


def test_flat_and_rising_ones_keep_their_sense() -> None:
    flat = [Probe(crf=20, vmaf=100, bit_rate=900_000), Probe(crf=25, vmaf=100, bit_rate=900_000)]
    curve = through(flat[1], *flat)
    assert 40 < curve.crf_for(93) < math.inf
    assert curve.at(60).bit_rate == 900_000
    noisy = [Probe(crf=20, vmaf=90, bit_rate=500_000), Probe(crf=25, vmaf=91, bit_rate=400_000)]
    assert through(noisy[1], *noisy).crf_for(93) < 25


def test_probes_too_near_each_other_say_nothing() -> None:
    near = [Probe(crf=26, vmaf=93, bit_rate=900_000), Probe(crf=27, vmaf=85, bit_rate=800_000)]
    assert through(near[1], *near) == Curve(near[1])


def test_vmaf_stays_between_0_and_100() -> None:
    curve = Curve(probe(TRAILER, 33))
    assert curve.at(-100).vmaf == 100
    assert curve.at(100).vmaf == 0
