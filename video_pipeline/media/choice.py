"""By what players choose between the families of a release: a rank of every rung, and the colours of every family."""

from __future__ import annotations

from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.video_plan import Family, VideoRange

PREFERENCE: tuple[Family, ...] = ("h264", "vp9", "hevc", "av1")
"""From the family that needs most bits for a picture to the one that needs fewest."""
CICP: dict[VideoRange, tuple[int, int, int]] = {"SDR": (1, 1, 1), "PQ": (9, 16, 9), "HLG": (9, 18, 9)}
"""Primaries, transfer and matrix as ITU-T H.273 numbers them."""


def scores(plan: EncodingPlan) -> dict[str, float]:
    """A number for each rung, larger for what looks better: by size, then HDR over SDR, then by family.

    HLS has it as SCORE, a "relative measure of the playback quality" (RFC 8216bis, 4.4.6.2). Empty if there is but one
    family, where the bit rate says the same.
    """
    if len(plan.encoders) == 1:
        return {}
    worth = {rung.name: (rung.width * rung.height, *_worth(plan, rung.family)) for rung in plan.rungs}
    ranks = {value: rank for rank, value in enumerate(sorted(set(worth.values())), 1)}
    return {name: float(ranks[value]) for name, value in worth.items()}


def priorities(plan: EncodingPlan) -> dict[Family, int]:
    """The same for families as wholes, from 1; DASH has it as @selectionPriority. Empty if there is but one."""
    if len(plan.encoders) == 1:
        return {}
    families = sorted((encoder.family for encoder in plan.encoders), key=lambda family: _worth(plan, family))
    return {family: rank for rank, family in enumerate(families, 1)}


def ranges(plan: EncodingPlan) -> dict[str, VideoRange]:
    """Of each rung."""
    return {rung.name: plan.encoder(rung.family).video_range for rung in plan.rungs}


def first(plan: EncodingPlan) -> set[str]:
    """Rungs that a player may start with before it has chosen: those that all of them show."""
    return {rung.name for rung in plan.family(plan.plain)}


def _worth(plan: EncodingPlan, family: Family) -> tuple[bool, int]:
    return plan.encoder(family).video_range != "SDR", PREFERENCE.index(family)
