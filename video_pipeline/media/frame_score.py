"""How good a frame is as a picture: sharp, exposed, colourful, at rest, and unlike the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]

DARK, BRIGHT = 28.0, 232.0
"""Mean luma outside of this is a black, white or fading frame."""
FLAT = 12.0
"""Standard deviation of luma below this is a plain area."""
BLURRED = 15.0
"""Variance of the Laplacian at half size, where coding noise is gone, below this is out of focus: of 240 lines soft
natural pictures have 25 and more, blurred by 12 pixels at most 7."""
MOVING = 30.0
"""Mean luma difference to the next frame above this is a cut or a flash."""


@dataclass(frozen=True)
class Scored:
    frame: int
    score: float
    """0 to about 1; larger is better."""
    usable: bool
    """Neither black, white, plain, blurred nor in transition."""
    fingerprint: int
    """A difference hash of 64 bits (https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html)."""

    def distance(self, other: Scored) -> int:
        """Bits in which two fingerprints differ: 0 is the same picture."""
        return bin(self.fingerprint ^ other.fingerprint).count("1")


def score_frames(path: Path, frames: Sequence[int]) -> dict[int, Scored]:
    """Scores frames by their index in decoding order of presentation; one pass up to the last of them."""
    import cv2

    video = cv2.VideoCapture(str(path))
    scored: dict[int, Scored] = {}
    wanted = set(frames)
    before: Pixels | None = None
    try:
        for index in range(max(wanted) + 2):
            if not video.grab():
                break
            if index not in wanted and index - 1 not in wanted:
                continue
            picture = video.retrieve()[1]
            gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
            if before is not None and index - 1 in scored:
                scored[index - 1] = _settled(scored[index - 1], before, gray)
            if index in wanted:
                scored[index] = _score(index, picture, gray)
            before = gray
    finally:
        video.release()
    return scored


def _score(index: int, picture: Pixels, gray: Pixels) -> Scored:
    import cv2

    mean, spread = float(gray.mean()), float(gray.std())
    sharpness = float(cv2.Laplacian(gray, cv2.CV_64F).var())
    exposure = 1.0 - abs(mean - 118.0) / 118.0
    score = (
        0.40 * min(1.0, np.log1p(sharpness) / 8.0)
        + 0.25 * min(1.0, spread / 64.0)
        + 0.20 * max(0.0, exposure)
        + 0.15 * min(1.0, _colourfulness(picture) / 60.0)
    )
    small = cv2.resize(gray, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, 1:] > small[:, :-1]).flatten()
    half = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    focus = float(cv2.Laplacian(half, cv2.CV_64F).var())
    usable = DARK <= mean <= BRIGHT and spread >= FLAT and focus >= BLURRED
    fingerprint = int("".join("1" if bit else "0" for bit in bits), 2)
    return Scored(index, float(score), usable, fingerprint)


def _settled(scored: Scored, gray: Pixels, following: Pixels) -> Scored:
    """Takes away what moves: the faster, the more blur; a jump is a transition."""
    moved = float(np.abs(following.astype(np.int16) - gray).mean())
    still = 1.0 - min(0.5, moved / (2 * MOVING))
    return Scored(scored.frame, scored.score * still, scored.usable and moved < MOVING, scored.fingerprint)


def _colourfulness(picture: Pixels) -> float:
    """Hasler and Suesstrunk, "Measuring colourfulness in natural images", 2003, equation 4."""
    blue, green, red = (picture[..., n].astype(np.float32) for n in range(3))
    rg, yb = red - green, 0.5 * (red + green) - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))
