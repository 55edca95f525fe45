"""Which rungs a source gets: none larger than the source unless that is tiny, each named by its shorter side."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from video_pipeline.media.video_plan import Family, RungPlan
from video_pipeline.presets.families import FamilyPreset
from video_pipeline.presets.model import Preset

OWN_SIZE_MARGIN = Fraction(11, 10)
"""The source's own size is a rung if it exceeds the largest fitting one by more than this."""
TINY = 16
"""Pixels: a macroblock, the least that every decoder can be expected to show. Smaller pictures are enlarged."""
LONGEST = 4096
"""Pixels that an enlarged picture has at most."""
HIGH_RATE = 30
"""Frames per second above which the ceiling is half as high again, as services' tables have it (2M to 3M at 720p,
https://github.com/shaka-project/shaka-streamer/blob/main/streamer/bitrate_configuration.py)."""
BUFFER_SECONDS = 2
"""Of `maxrate`: with a window this long a segment's peak stays near the ceiling."""


def ladder(display: tuple[int, int], rate: Fraction, preset: Preset) -> tuple[RungPlan, ...]:
    """The rungs for a source of this display size: of each family by its own table, largest first, at least one.

    Args:
        display: width and height in square pixels, as a player shows them.
        rate: frames per second of the output.
    """
    if min(display) < TINY:
        # By a whole factor every sample stays what it is, and even numbers keep the shape.
        times = max(1, min(-(-TINY // min(display)), LONGEST // max(display)))
        display = (display[0] * times, display[1] * times)
    families = preset.families.items()
    return tuple(rung for name, family in families for rung in _rungs(name, family, display, rate, preset.max_height))


def _rungs(
    name: Family, family: FamilyPreset, display: tuple[int, int], rate: Fraction, max_height: int
) -> tuple[RungPlan, ...]:
    short = min(display)
    table = [rung for rung in family.rungs if rung.height <= max_height]
    fitting = [(rung.height, rung) for rung in table if rung.height <= short]
    largest = fitting[0][0] if fitting else 0
    if short <= max_height and short > largest * OWN_SIZE_MARGIN:
        # Its bit rate is that of the next larger rung of the table, by area.
        like = next((rung for rung in reversed(table) if rung.height >= short), table[0])
        fitting.insert(0, (short, like))
    rungs: list[RungPlan] = []
    for short_side, like in reversed(fitting):
        width, height = _scaled(display, short_side)
        scale = min(Fraction(1), Fraction(short_side**2, like.height**2))
        if rate > HIGH_RATE:
            scale *= Fraction(3, 2)
        # By its area the source's own size may get less than the next smaller rung of the table.
        maxrate = max(50_000, round(like.maxrate * 1000 * scale), rungs[-1].maxrate if rungs else 0)
        rungs.append(
            RungPlan(
                name=f"{name}-{min(width, height)}p",
                family=name,
                width=width,
                height=height,
                crf=like.crf,
                maxrate=maxrate,
                bufsize=maxrate * BUFFER_SECONDS,
            )
        )
    return tuple(reversed(rungs))


def download_rung(rungs: Sequence[RungPlan], height: int | None) -> str | None:
    """Name of the largest rung whose shorter side is not above `height`; of the smallest, if all are. None for none."""
    if height is None:
        return None
    fitting = [rung for rung in rungs if min(rung.width, rung.height) <= height]
    return (fitting or rungs[-1:])[0].name


def _scaled(display: tuple[int, int], short: int) -> tuple[int, int]:
    """The display size scaled so that its shorter side is `short`, both even."""
    factor = Fraction(short, min(display))
    width, height = (_even(side * factor, limit=side) for side in display)
    return width, height


def _even(value: Fraction, limit: int) -> int:
    """The nearest even number, at least 2 and, from 2 on, not above the source's own."""
    return max(2, min(2 * round(value / 2), limit // 2 * 2))
