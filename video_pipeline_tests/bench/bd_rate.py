"""How many more bits one encoder takes than another for the same quality, by Bjøntegaard's delta rate.

G. Bjøntegaard, "Calculation of average PSNR differences between RD-curves", ITU-T VCEG-M33, 2001: the mean distance
between two curves of the logarithm of the bit rate over the quality, where both have values. The curves go through the
points by piecewise cubics that do not overshoot (F. N. Fritsch, J. Butland, "A method for constructing local monotone
piecewise cubic interpolants", SIAM J. Sci. Stat. Comput. 5, 1984), as is usual since; a single cubic swings between
points that are far apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
"""Bit rate and quality."""
Array = npt.NDArray[np.float64]
STEPS = 2000


def bd_rate(anchor: Sequence[Point], tested: Sequence[Point]) -> float | None:
    """The share of bits that `tested` takes more than `anchor`: -0.1 is a tenth less. None where no quality is reached
    by both.

    Args:
        anchor, tested: at least two points each, of which more bits give more quality.
    """
    curves = [_curve(points) for points in (anchor, tested)]
    low = max(qualities[0] for qualities, _ in curves)
    high = min(qualities[-1] for qualities, _ in curves)
    if low >= high:
        return None
    at = np.linspace(low, high, STEPS + 1)
    # Simpson's rule is exact for cubics, and near enough across their joints.
    weights = np.ones(STEPS + 1)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    means = [float(np.average(_through(*curve, at), weights=weights)) for curve in curves]
    return math.exp(means[1] - means[0]) - 1


def _curve(points: Sequence[Point]) -> tuple[Array, Array]:
    """Qualities and logarithms of the rates, in rising order; a point that costs more and gives no more is left out."""
    kept: list[Point] = []
    for rate, quality in sorted(points):
        if not kept or quality > kept[-1][1]:
            kept.append((rate, quality))
    if len(kept) < 2:
        raise ValueError(f"a curve needs two points, not {points}")
    return np.array([quality for _, quality in kept]), np.log([rate for rate, _ in kept])


def _through(x: Array, y: Array, at: Array) -> Array:
    """The curve through (x, y) at these places between its ends."""
    h, slope = np.diff(x), np.diff(y) / np.diff(x)
    tangent = np.empty_like(x)
    if len(x) == 2:
        tangent[:] = slope[0]
    else:
        both = slope[:-1] * slope[1:]
        a = (h[:-1] + 2 * h[1:]) / (3 * (h[:-1] + h[1:]))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = both / (a * slope[1:] + (1 - a) * slope[:-1])
        tangent[1:-1] = np.where(both > 0, mean, 0)
        tangent[0] = _end(h[0], h[1], slope[0], slope[1])
        tangent[-1] = _end(h[-1], h[-2], slope[-1], slope[-2])
    n = np.clip(np.searchsorted(x, at, "right") - 1, 0, len(h) - 1)
    t = (at - x[n]) / h[n]
    rise = (1 - t) ** 2 * (1 + 2 * t) * y[n] + t**2 * (3 - 2 * t) * y[n + 1]
    bend = t * (1 - t) ** 2 * tangent[n] - t**2 * (1 - t) * tangent[n + 1]
    return np.asarray(rise + h[n] * bend)


def _end(h: float, next_h: float, slope: float, next_slope: float) -> float:
    """The tangent at an end, from the three points there, without changing direction."""
    found = ((2 * h + next_h) * slope - h * next_slope) / (h + next_h)
    if found * slope <= 0:
        return 0.0
    return 3 * slope if slope * next_slope < 0 and abs(found) > 3 * abs(slope) else found
