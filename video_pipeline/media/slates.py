"""Pictures that are drawn, not filmed: title and text cards, credits, logos, colour bars, test cards, screens."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]

EVEN = 3
"""Steps of 255 by which neighbours may differ in an even area."""
EDGE, HARD = 12, 60
"""Likewise, of neighbours on an edge, and on one as letters and bars have it; most of what is filmed is softer."""
SOME = 0.002
"""Share of the picture without which edges say nothing."""
CARD = (0.75, 0.60, 0.50)
"""Least shares of a card: even area, one colour, hard edges among all edges. Titles and credits of two natural clips
have 0.78, 0.78 and 0.53 at least; each of 393 filmed, rendered and played frames lacks a quarter of one of them."""
CHART = (0.85, 0.45)
"""Likewise of a test card, which has many colours: even area, hard edges. Filmed ones lack a sixth of one of them."""
STRIPES, STRAIGHT = 5, 8.0
"""Borders of colour bars, and by how much of 255 (standard deviation) a column of theirs varies over half the height;
of 210 natural frames those with as many borders vary by 55 and more."""
BORDER = 40
"""Of 255, between the colours of two bars."""
BINS = 32


def drawn(picture: Pixels) -> str:
    """What a card or a chart is recognised by, in words; nothing of any other picture.

    Args:
        picture: rows times columns times BGR, some 240 lines, without black bars.
    """
    import cv2

    if borders := _stripes(picture):
        return f"a chart: upright bars of one colour each, with {borders} borders"
    planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb)
    around = np.ones((3, 3), np.uint8)
    steps = cv2.subtract(cv2.dilate(planes, around), cv2.erode(planes, around)).max(axis=2)
    even, edges = float((steps <= EVEN).mean()), float((steps > EDGE).mean())
    if edges < SOME:
        return ""
    hard = float((steps > HARD).mean()) / edges
    one = _one_colour(planes)
    if even >= CARD[0] and one >= CARD[1] and hard >= CARD[2]:
        return f"a card or a screen: {100 * one:.0f} % of it have one colour, {100 * hard:.0f} % of its edges are hard"
    if even >= CHART[0] and hard >= CHART[1]:
        return f"a chart: {100 * even:.0f} % of it are even, {100 * hard:.0f} % of its edges are hard"
    return ""


def _stripes(picture: Pixels) -> int:
    """Borders between upright bars that take at least half of the height; 0 if there are no such bars."""
    height = picture.shape[0]
    for top in (0, height // 4, height // 2):
        half = picture[top : top + height // 2].astype(np.float32)
        if np.percentile(half.std(axis=0).max(axis=1), 95) > STRAIGHT:
            continue
        across = half.mean(axis=0)
        hard = np.abs(across[4:] - across[:-4]).max(axis=1) > BORDER
        borders = int((np.diff(hard.astype(np.int8), prepend=0) == 1).sum())
        if borders >= STRIPES:
            return borders
    return 0


def _one_colour(planes: Pixels) -> float:
    """Share of the most frequent colour with its neighbours."""
    import cv2

    shares = cv2.calcHist([planes], [0, 1, 2], None, [BINS] * 3, [0, 256] * 3)
    y, cr, cb = (slice(max(0, n - 1), n + 2) for n in np.unravel_index(int(shares.argmax()), shares.shape))
    return float(shares[y, cr, cb].sum() / shares.sum())
