"""Against differences that are known."""

import pytest

from video_pipeline_tests.bench.bd_rate import bd_rate

POINTS = [(250.0, 70.0), (500.0, 82.0), (1000.0, 90.5), (2000.0, 95.0)]


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.25])
def test_the_same_share_everywhere(factor: float) -> None:
    tested = [(rate * factor, quality) for rate, quality in POINTS]
    assert bd_rate(POINTS, tested) == pytest.approx(factor - 1)


def test_a_gap_that_grows_evenly() -> None:
    """Straight lines: from 0 % more at 70 to 100 % more at 90 is the square root of 2 in the middle."""
    assert bd_rate([(100, 70), (200, 80), (400, 90)], [(100, 70), (283, 80), (800, 90)]) == pytest.approx(
        2**0.5 - 1, abs=1e-3
    )


def test_only_what_both_reach_counts() -> None:
    """Beyond it they may differ as they like; only the slope at the last common point shows it, a little."""
    far = [*POINTS, (1_000_000.0, 99.0)]
    assert bd_rate(POINTS, far) == pytest.approx(0, abs=1e-2)


def test_points_in_any_order_and_one_that_gives_no_more() -> None:
    assert bd_rate(POINTS, [*reversed(POINTS), (3000.0, 94.0)]) == pytest.approx(0)


def test_no_quality_in_common() -> None:
    assert bd_rate([(1, 10), (2, 20)], [(1, 30), (2, 40)]) is None


def test_one_point_is_no_curve() -> None:
    with pytest.raises(ValueError, match="two points"):
        bd_rate(POINTS, [(1, 2)])
