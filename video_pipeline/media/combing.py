"""Combing: whether the two fields of a picture are of different moments, measured on the pixels.

A picture's lines are woven anew from it and the next one. Of whole frames both ways to weave mix two moments, and are
rougher than the pictures. Of fields one way joins neighbours in time, and is as rough as the pictures are; which way
tells the order of the fields. Of film sent in fields, 2:3 pulldown, every fifth picture repeats a field.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

MOTION, SHARE_OF_OWN = 0.2, 0.02
"""Grey levels of roughness that weaving must add, and in parts of the pictures' own, else nothing moves but noise and
nothing can be told."""
COMBED = 0.7
"""What the smoother way to weave adds, in parts of what the rougher one adds: of whole frames 0.83 and more, of fields
0.7 and less, half of them 0.3 and less (30 clips of both kinds)."""
STIRRED = 6
"""Grey levels that a pixel which moves changes by, at least."""
TORN = 0.65
"""Roughness from line to line where it moves, in parts of that from every second line to the next: of whole frames
less, but for grain and fine patterns, of fields in quick motion up to 60. Lettering that rolls up by a line or two can
be woven both ways; it is this that tells."""
CYCLE = 5
"""Pictures in which pulldown repeats a field of either parity."""
APART = (2, 3)
"""Pictures from the one that repeats an upper field to the one that repeats a lower field."""
REPEATED = 0.65
"""A repeated field differs from the one before less than this times what any other in the cycle does."""
MOVES = 0.3
"""Mean difference of fields in grey levels, above which one can tell."""


@dataclass(frozen=True)
class Look:
    """At some pictures in a row."""

    told: int = 0
    """Pairs of neighbours that something moves in."""
    combed: int = 0
    """Of those, the ones that are made of fields by the way they weave."""
    torn: int = 0
    """Of those, the ones in which one can see it."""
    top_first: int = 0
    """Of all that are combed, the ones whose upper field is the earlier one."""
    telecined: bool = False


def look(pictures: np.ndarray) -> Look:
    """At pictures in a row: (picture, line, column), grey levels of 8 bits."""
    told = combed = torn = top_first = 0
    for this, following in itertools.pairwise(pictures):
        own = _roughness(this, this)
        # The upper field of the next picture follows this one's lower field if the upper one is the earlier.
        top, bottom = _roughness(following, this) - own, _roughness(this, following) - own
        if max(top, bottom) <= max(MOTION, SHARE_OF_OWN * own):
            continue
        told += 1
        if min(top, bottom) < COMBED * max(top, bottom):
            combed += 1
            torn += _torn(this, following) > TORN
            top_first += top < bottom
    return Look(told, combed, torn, top_first, _telecined(pictures))


def _roughness(even: np.ndarray, odd: np.ndarray) -> float:
    """Mean second difference from line to line of a picture woven from the lines of two."""
    woven = even.astype(np.int16)
    woven[1::2] = odd[1::2]
    return float(np.abs(2 * woven[1:-1] - woven[:-2] - woven[2:]).mean())


def _torn(this: np.ndarray, following: np.ndarray) -> float:
    """Roughness of the picture itself where something moves, see TORN."""
    lines = this.astype(np.int16)
    moves = np.abs(following.astype(np.int16) - lines) > STIRRED
    near = moves[2:-2] | moves[1:-3] | moves[3:-1]
    next_line = np.abs(2 * lines[2:-2] - lines[1:-3] - lines[3:-1])[near]
    second_line = np.abs(2 * lines[2:-2] - lines[:-4] - lines[4:])[near]
    return float(next_line.sum(dtype=np.int64) / max(1, second_line.sum(dtype=np.int64)))


def _telecined(pictures: np.ndarray) -> bool:
    """Whether one upper and one lower field of every cycle repeat the one before, in different pictures."""
    if len(pictures) < 2 * CYCLE + 1:
        return False
    upper, lower = (_repeating(pictures[:, parity::2]) for parity in (0, 1))
    return upper is not None and lower is not None and (lower - upper) % CYCLE in APART


def _repeating(fields: np.ndarray) -> int | None:
    """The place in the cycle of the field that repeats; None if there is no such place."""
    pairs = itertools.pairwise(fields)
    steps = np.array([np.abs(later.astype(np.int16) - earlier).mean() for earlier, later in pairs])
    usual = [float(np.median(steps[place::CYCLE])) for place in range(CYCLE)]
    place = int(np.argmin(usual))
    others = usual[:place] + usual[place + 1 :]
    return place if min(others) > MOVES and usual[place] < REPEATED * min(others) else None
