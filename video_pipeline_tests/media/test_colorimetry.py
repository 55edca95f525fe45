from __future__ import annotations

import numpy as np
import pytest

from video_pipeline_tests.media import colorimetry


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_gives_the_published_distances(
    one: tuple[float, ...], other: tuple[float, ...], apart: float
) -> None:
    """Of table 1 in Sharma, Wu and Dalal's paper."""
    assert colorimetry.apart(np.array(one), np.array(other)) == pytest.approx(apart, abs=1e-4)
    assert colorimetry.apart(np.array(other), np.array(one)) == pytest.approx(apart, abs=1e-4)


def test_hdr_signals_of_the_standards() -> None:
    """BT.2408-7, table 1: 203 cd/m² is 75 % HLG and 58 % PQ, 18 % grey 38 % of both."""
    white, grey = np.full(3, 203.0), np.full(3, 26.0)
    assert colorimetry.hlg(white) == pytest.approx(0.75, abs=0.002)
    assert colorimetry.pq(white) == pytest.approx(0.58, abs=0.002)
    assert colorimetry.hlg(grey) == pytest.approx(0.38, abs=0.005)
    assert colorimetry.pq(grey) == pytest.approx(0.38, abs=0.005)
