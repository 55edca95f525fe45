"""How shots follow each other: tells cuts from flashes and from motion, and finds fades and dissolves.

All of it looks at pictures of 16x9 pixels. Two of them are as alike as their correlation, which neither a change of
light nor an overlay moves much. In a gradual transition each picture is a mixture of the last of the old shot, the
first of the new one and one colour; with motion instead it is not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

SIZE = (16, 9)
STILL = 24
"""Of 255; a pixel that differs by less over the whole video does not change."""
ALIKE = 0.75
"""Correlation from which on what lies before and behind a cut is the same shot."""
RETURNED = 0.9
"""Correlation with which a shot is back after a flash."""
APART = 8.0
"""Mean difference, of 255, under which nobody sees a cut."""
BLANK = 15.0
"""Largest difference of a pixel from the picture's median, of 255, in black or another single colour: a small text or
watermark is less, at this size."""
LONGEST_BLANK = 3.0
"""Seconds; what is blank for longer is a shot of its own."""
DIP = 0.4
"""Share of the contrast of both ends under which a fade goes, if not to a single colour."""
RISE = 1.005
"""From frame to frame, at least, while a fade goes on."""
HALVES = (0.25, 0.5, 0.9)
"""Seconds before and behind a middle that are looked at."""
MIXTURE = 0.965
"""Share of the variance of the pictures between that a mixture of both ends explains."""
DISTINCT = 0.5
"""Correlation of both ends of a gradual transition at most."""
STEP = 0.6
"""Share of the whole change in one of eight steps at most; more is a cut."""
CONTRAST = 5.0
"""Standard deviation of one end at least."""
STEPS = 8
_BLOCK = 2048

Kind = Literal["cut", "fade", "dissolve"]
Floats = npt.NDArray[np.float32]


class Boundary(NamedTuple):
    frame: int
    """First of the new shot; of a dissolve the middle."""
    kind: Kind
    start: int
    """First frame that is not only the old shot; of a cut, as `end`, the frame."""
    end: int

    @property
    def frames(self) -> int:
        return self.end - self.start


def find(small: npt.NDArray[np.uint8], cuts: Sequence[int], rate: float, shortest: int) -> list[Boundary]:
    """The boundaries, in order.

    Args:
        small: pictures of the video by frame, height, width and channel.
        cuts: frames where one may be.
        rate: frames/s.
        shortest: frames a shot has at least; a shorter one belongs to the one before it.
    """
    pictures = _changing(small.reshape(len(small), -1, small.shape[-1]))
    blank, contrast = _looks(pictures)
    vectors = pictures.reshape(len(pictures), -1)
    hard = [cut for cut in cuts if 0 < cut < len(small) and _changes(vectors, cut, cut, shortest)]
    spans = [_dip(contrast, cut, hard) for cut in hard] + list(_gradual(vectors, hard, rate))
    for start, end in _runs(blank):
        whole = _ramp(contrast, start, -1, hard), _ramp(contrast, end - 1, 1, hard)
        if end - start < shortest and start > 0 and end < len(blank) and not _changes(vectors, *whole, shortest):
            continue
        long = end - start > LONGEST_BLANK * rate
        spans += [(whole[0], start + 1), (end - 1, whole[1])] if long else [whole]
    found = [_boundary(span, blank, contrast) for span in _joined(sorted(spans))]
    return _long_enough([one for one in found if one is not None], shortest)


def _changing(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Without pixels that are the same from the first frame to the last: black bars and frames make all shots alike."""
    change = np.ptp(pictures, axis=0).max(axis=1) >= STILL
    return pictures[:, change] if change.mean() >= 0.25 else pictures


def _changes(vectors: npt.NDArray[np.uint8], start: int, end: int, shortest: int) -> bool:
    """Whether the shot before a transition is another than the one behind it, and does not come back at once."""

    def near(frame: int) -> npt.NDArray[np.uint8]:
        first = min(max(0, frame), max(0, len(vectors) - 2))
        return vectors[first : first + 2]

    before, behind = vectors[max(0, start - 2) : max(1, start)], near(end)
    away = range(max(1, shortest // 5), shortest + 1, max(1, shortest // 5))
    back = any(
        not _differ(before, near(end + n), RETURNED) or not _differ(near(start - n - 2), behind, RETURNED) for n in away
    )
    return _differ(before, behind, ALIKE) and not back


def _differ(before: npt.NDArray[np.uint8], behind: npt.NDArray[np.uint8], alike: float) -> bool:
    one, other = before.mean(0), behind.mean(0)
    return bool(np.abs(one - other).mean() >= APART and _correlation(one, other) < alike)


def _correlation(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / np.sqrt((one * one).sum() * (other * other).sum() + one.size))


def _looks(pictures: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which are blank, and the contrast of each: its standard deviation."""
    blank, contrast = np.zeros(len(pictures), bool), np.zeros(len(pictures), np.float32)
    for at in range(0, len(pictures), _BLOCK):
        block = pictures[at : at + _BLOCK].astype(np.float32)
        off = np.abs(block - np.median(block, axis=1, keepdims=True))
        blank[at : at + _BLOCK] = off.max(axis=(1, 2)) < BLANK
        contrast[at : at + _BLOCK] = block.std(axis=(1, 2))
    return blank, contrast


def _ramp(contrast: Floats, at: int, way: Literal[-1, 1], cuts: Sequence[int]) -> int:
    """Where a fade begins that ends in this frame, or ends that begins in it: as far as contrast grows."""
    before = bisect_right(cuts, at)
    first = cuts[before - 1] if before else 0
    last = cuts[before] - 1 if before < len(cuts) else len(contrast) - 1
    while at != (last if way > 0 else first) and contrast[at + way] > max(RISE * contrast[at], contrast[at] + 0.1):
        at += way
    return at + (way > 0)


def _dip(contrast: Floats, cut: int, cuts: Sequence[int]) -> tuple[int, int]:
    """A cut, or the fade in the middle of which it is."""
    start, end = _ramp(contrast, cut - 1, -1, cuts), _ramp(contrast, cut, 1, cuts)
    faded = contrast[cut - 1] < DIP * contrast[start] and contrast[cut] < DIP * contrast[end - 1]
    return (start, end) if faded else (cut, cut)


def _runs(flags: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _gradual(vectors: npt.NDArray[np.uint8], cuts: Sequence[int], rate: float) -> Iterator[tuple[int, int]]:
    """Spans in which one picture turns into another; none goes over a cut."""
    borders = np.array([0, *cuts, len(vectors)])
    for seconds in HALVES:
        half = round(seconds * rate)
        if half < 3:
            continue
        for first in range(half, len(vectors) - half, _BLOCK):
            middles = np.arange(first, min(first + _BLOCK, len(vectors) - half))
            shot = np.searchsorted(borders, middles, side="right")
            middles = middles[(middles - half >= borders[shot - 1]) & (middles + half < borders[shot])]
            if len(middles):
                yield from _mixtures(vectors, middles, half)


def _mixtures(vectors: npt.NDArray[np.uint8], middles: npt.NDArray[np.int64], half: int) -> Iterator[tuple[int, int]]:
    """Least squares of each picture between on both ends, all without their mean."""
    old, new = _centred(vectors[middles - half]), _centred(vectors[middles + half])
    noise = np.float32(1e-3 * old.shape[1])
    oo, nn, on = (old * old).sum(1) + noise, (new * new).sum(1) + noise, (old * new).sum(1)
    least = CONTRAST**2 * old.shape[1]
    wanted = (on < DISTINCT * np.sqrt(oo * nn)) & (np.maximum(oo, nn) > least)
    if not wanted.any():
        return
    middles, old, new, oo, nn, on = (part[wanted] for part in (middles, old, new, oo, nn, on))
    determinant = oo * nn - on * on
    places = np.unique(np.round(np.linspace(-half, half, STEPS + 2)).astype(int))[1:-1]
    left, whole = np.zeros(len(middles), np.float32), np.zeros(len(middles), np.float32)
    olds, news = [], []
    for place in places:
        between = _centred(vectors[middles + place])
        bo, bn = (between * old).sum(1), (between * new).sum(1)
        of_old, of_new = (bo * nn - bn * on) / determinant, (bn * oo - bo * on) / determinant
        power = (between * between).sum(1)
        left += np.clip(power - of_old * bo - of_new * bn, 0, None)
        whole += np.maximum(power, 0.25 * np.maximum(oo, nn))
        olds.append(of_old)
        news.append(of_new)
    gone, come = 1 - np.stack(olds, 1), np.stack(news, 1)
    # Where one end is blank its share says nothing.
    share = np.where((oo > least)[:, None], gone, come)
    other = np.where((nn > least)[:, None], come, gone)
    steps = np.diff(np.pad(np.maximum(share, other), ((0, 0), (1, 1)), constant_values=(0, 1)), axis=1)
    good = (left < (1 - MIXTURE) * whole) & (np.abs(steps).max(1) < STEP)
    for middle, a, b in zip(middles[good], share[good], other[good], strict=True):
        changing = np.flatnonzero((np.maximum(a, b) > 0.05) & (np.minimum(a, b) < 0.95))
        if len(changing):
            yield int(middle + places[changing[0]]), int(middle + places[changing[-1]]) + 1


def _centred(vectors: npt.NDArray[np.uint8]) -> Floats:
    values = vectors.astype(np.float32)
    centred: Floats = values - values.mean(1, keepdims=True)
    return centred


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans that touch are one transition."""
    current: tuple[int, int] | None = None
    for start, end in spans:
        if current is not None and start <= current[1]:
            current = current[0], max(current[1], end)
        else:
            if current is not None:
                yield current
            current = start, end
    if current is not None:
        yield current


def _boundary(span: tuple[int, int], blank: npt.NDArray[np.bool_], contrast: Floats) -> Boundary | None:
    """None if there is nothing before it, or nothing behind it."""
    start, end = span
    if blank[:start].all() or blank[end:].all():
        return None
    if start == end:
        return Boundary(start, "cut", start, end)
    inside = np.flatnonzero(blank[start:end])
    if len(inside):
        return Boundary(int(start + inside[-1] + 1), "fade", start, end)
    within = contrast[start : end + 1]
    if within.min() < DIP * min(within[0], within[-1]):
        return Boundary(int(start + within.argmin()), "fade", start, end)
    return Boundary((start + end) // 2, "dissolve", start, end)


def _long_enough(found: Sequence[Boundary], shortest: int) -> list[Boundary]:
    kept: list[Boundary] = []
    for one in found:
        if one.frame - (kept[-1].frame if kept else 0) >= shortest:
            kept.append(one)
    return kept
