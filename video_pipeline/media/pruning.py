"""Which rungs of a ladder are worth having, by what is expected of them."""

from __future__ import annotations

from collections.abc import Sequence

from video_pipeline.media.targets import LeftOutRung, RungQuality

NOTICED = 6
"""VMAF that a rung must have over the one below to be noticed, and"""
STEP = 1.5
"""how many times its bit rate else, as autovmaf chooses its ladders
(https://github.com/Eyevinn/autovmaf/blob/main/src/ladder/): a player that cannot hold a rung finds the next one not far
below."""


def prune(rungs: Sequence[RungQuality], ceiling: float) -> tuple[tuple[RungQuality, ...], tuple[LeftOutRung, ...]]:
    """The rungs of one family that are kept, and the others with the reason; at least one is kept.

    From the top: nothing above a rung that reaches `ceiling`, for nobody would see it; then each next rung that is more
    than NOTICED below the last one kept, or costs less by STEP. What is between is too near to be of use.

    Args:
        rungs: largest first.
    """
    left_out: list[LeftOutRung] = []
    enough = max((n for n, rung in enumerate(rungs) if rung.vmaf >= ceiling), default=0)
    for rung in rungs[:enough]:
        best = rungs[enough]
        left_out.append(LeftOutRung(name=rung.name, why=f"{best.name} has VMAF {best.vmaf:.1f} already"))
    kept = [rungs[enough]]
    for rung in rungs[enough + 1 :]:
        gain, step = kept[-1].vmaf - rung.vmaf, kept[-1].bit_rate / max(1, rung.bit_rate)
        if gain > NOTICED or step >= STEP:
            kept.append(rung)
        else:
            why = f"{kept[-1].name} is only {gain:.1f} VMAF better for {step:.2f} times the bits"
            left_out.append(LeftOutRung(name=rung.name, why=why))
    return tuple(kept), tuple(left_out)
