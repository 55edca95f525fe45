"""How good a frame is as a picture: sharp, exposed, colourful, at rest; and why it may be none at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from video_pipeline.media import slates
from video_pipeline.media.image_products import Score

Pixels = npt.NDArray[Any]

WEIGHTS = Score(sharpness=0.25, contrast=0.15, exposure=0.20, colourfulness=0.17, stillness=0.12, placement=0.11)
LINES = 240
"""Larger frames are judged in this size: the shorter side, pixels."""
MIDDLE = 118.0
"""Mean luma of what is exposed as it should be: middle gray."""
DARK, BRIGHT = 28.0, 232.0
"""Mean luma outside of this is a black, white or fading frame."""
FLAT = 12.0
"""Standard deviation of luma below this is a plain area."""
BLURRED = 15.0
"""Variance of the Laplacian at half size, where coding noise is gone, below this is out of focus: of 240 lines soft
natural pictures have 25 and more, blurred by 12 pixels at most 7."""
MOVING = 30.0
"""Mean luma difference to the next frame above this is a cut or a flash."""
FADING = 0.02
"""Of a fade, mean and spread of luma change by more than this share from one frame to the next, both alike."""
SAME = 0.97
"""And this is the least correlation of their luma. Of 4400 frames of the natural clips that do not fade two do so."""
BAR = 32
"""Luma that no pixel of a black bar reaches in any frame."""
SIDE = 16
"""Pixels of both sides of `Scored.small`."""


@dataclass(frozen=True)
class Scored:
    frame: int
    parts: Score
    fault: str
    """Why it cannot be offered, in words with numbers; nothing of what can."""
    drawn: str
    """What shows that it is a card or a chart, see `slates`."""
    luma: float
    """Mean, without bars."""
    fingerprint: int
    """A perceptual hash of 64 bits, see `_fingerprint`."""
    small: bytes
    """Luma of the whole frame in SIDE times SIDE pixels."""

    @property
    def score(self) -> float:
        """0 to 1; larger is better."""
        return float(sum(weight * getattr(self.parts, name) for name, weight in WEIGHTS))

    def distance(self, other: Scored) -> int:
        """Bits in which two fingerprints differ: 0 is the same picture."""
        return bin(self.fingerprint ^ other.fingerprint).count("1")


def unseen(frame: int) -> Scored:
    """One that cannot be judged."""
    return Scored(frame, Score(**dict.fromkeys(Score.model_fields, 0.0)), "it cannot be decoded", "", 0.0, 0, b"")


@dataclass
class _Seen:
    picture: Pixels
    """BGR, rows by columns."""
    moved: float = 0.0
    """Mean luma difference to the next frame."""
    fading: float = 0.0
    """By which share its light changes with the next frame, if that is all that changes."""


def score_frames(path: Path, frames: Sequence[int]) -> dict[int, Scored]:
    """Scores frames by their index in decoding order of presentation; one pass up to the last of them. Their place in
    the video is not known here: that part is 1.

    Black bars that all of them have are left out.
    """
    seen = _read(path, set(frames))
    if not seen:
        return {}
    rows, columns = _inside_bars([one.picture for one in seen.values()])
    return {index: _score(index, one, one.picture[rows, columns]) for index, one in seen.items()}


def _read(path: Path, wanted: set[int]) -> dict[int, _Seen]:
    import cv2

    video = cv2.VideoCapture(str(path))
    seen: dict[int, _Seen] = {}
    before: Pixels | None = None
    try:
        for index in range(max(wanted) + 2):
            if not video.grab():
                break
            if index not in wanted and index - 1 not in wanted:
                continue
            picture = _reduced(video.retrieve()[1])
            gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
            if before is not None and index - 1 in seen:
                seen[index - 1].moved = float(cv2.absdiff(gray, before).mean())
                seen[index - 1].fading = _fading(before, gray)
            if index in wanted:
                seen[index] = _Seen(picture)
            before = gray
    finally:
        video.release()
    return seen


def _reduced(picture: Pixels) -> Pixels:
    import cv2

    factor = LINES / min(picture.shape[:2])
    if factor >= 1:
        return picture
    reduced: Pixels = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return reduced


def _fading(gray: Pixels, following: Pixels) -> float:
    mean, then = float(gray.mean()), float(following.mean())
    spread, later = float(gray.std()), float(following.std())
    if min(mean, then, spread, later) < 1:
        return 0.0
    alike = float(((gray - mean) * (following - then)).mean()) / (spread * later)
    contrast = later / spread - 1
    light = (then - mean) / (255 - mean if (then > mean) != (later > spread) else mean)
    fades = alike > SAME and abs(contrast) > FADING and abs(abs(light) - abs(contrast)) < abs(contrast) / 2
    return contrast if fades else 0.0


def _inside_bars(pictures: Sequence[Pixels]) -> tuple[slice, slice]:
    """Rows and columns of what is not black in all of them."""
    brightest = np.maximum.reduce([picture.max(axis=2) for picture in pictures])
    found = []
    for line in (brightest.max(axis=1) >= BAR, brightest.max(axis=0) >= BAR):
        lit = np.flatnonzero(line)
        whole = len(lit) == 0 or lit[-1] - lit[0] < len(line) / 3
        found.append(slice(0, len(line)) if whole else slice(int(lit[0]), int(lit[-1]) + 1))
    return found[0], found[1]


def _score(index: int, seen: _Seen, picture: Pixels) -> Scored:
    import cv2

    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    mean, spread = float(gray.mean()), float(gray.std())
    lost = float(((gray < 8) | (gray > 250)).mean())
    parts = Score(
        sharpness=_sharpness(gray),
        contrast=min(1.0, spread / 64),
        exposure=max(0.0, 1 - abs(mean - MIDDLE) / MIDDLE) * (1 - lost / 2),
        colourfulness=min(1.0, _colourfulness(picture) / 60),
        stillness=max(0.0, 1 - seen.moved / MOVING),
        placement=1.0,
    )
    whole = cv2.cvtColor(seen.picture, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(whole, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    parts = Score(**{name: round(part, 4) for name, part in parts})
    scored = Scored(index, parts, "", slates.drawn(picture), mean, _fingerprint(gray), small.tobytes())
    return replace(scored, fault=_fault(scored, seen, gray, mean, spread))


def _fault(scored: Scored, seen: _Seen, gray: Pixels, mean: float, spread: float) -> str:
    import cv2

    if not scored.drawn:  # a card may be black but for its letters
        if mean < DARK:
            return f"mean luma {mean:.0f}: black"
        if mean > BRIGHT:
            return f"mean luma {mean:.0f}: white"
        if spread < FLAT:
            return f"standard deviation of luma {spread:.0f}: plain"
    half = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) if min(gray.shape) > 1 else gray
    focus = float(cv2.Laplacian(half, cv2.CV_64F).var())
    if focus < BLURRED:
        return f"variance of the Laplacian {focus:.0f}, from {BLURRED:.0f} on it is sharp: blurred"
    if seen.moved >= MOVING:
        return f"mean luma difference {seen.moved:.0f} to the next frame: a cut or a flash"
    if seen.fading:
        return f"contrast changes by {100 * seen.fading:+.0f} % with the next frame, and nothing else: fading"
    return ""


def _sharpness(gray: Pixels) -> float:
    """Of the sharpest quarter of the picture: what is behind a face may be out of focus. 1 is a standard deviation of
    the Laplacian of 100 there, 0 is 4."""
    import cv2

    edges = cv2.Laplacian(gray, cv2.CV_32F)
    side = max(1, min(gray.shape) // 8)
    energy = np.sort(cv2.resize(edges * edges, _grid(gray, side), interpolation=cv2.INTER_AREA), axis=None)
    best = float(energy[-max(1, len(energy) // 4) :].mean()) ** 0.5
    return float(np.clip(np.log(max(best, 1e-6) / 4) / np.log(100 / 4), 0, 1))


def _grid(gray: Pixels, side: int) -> tuple[int, int]:
    return max(1, gray.shape[1] // side), max(1, gray.shape[0] // side)


def _fingerprint(gray: Pixels) -> int:
    """The signs of its lowest frequencies against their median, 64 bits
    (https://www.hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html).

    Of 77 frames of the natural clips, each blurred, brightened, coded anew, moved or cropped by 2 % differs by at most
    10 bits from itself and none by less than 18 from those of other clips; of a difference hash these are 46 and 11.
    """
    import cv2

    small = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].flatten()
    return int.from_bytes(np.packbits(low > np.median(low[1:])).tobytes(), "big")


def _colourfulness(picture: Pixels) -> float:
    """Hasler and Suesstrunk, "Measuring colourfulness in natural images", 2003, equation 4."""
    blue, green, red = (picture[..., n].astype(np.float32) for n in range(3))
    rg, yb = red - green, 0.5 * (red + green) - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))
