"""Which rungs their encoders can make: each has a smallest and a largest picture."""

from __future__ import annotations

from collections.abc import Sequence

from video_pipeline.errors import RequestError
from video_pipeline.media.model import LeftOut
from video_pipeline.media.video_plan import RungPlan, VideoEncoder

LONGEST = 16_384
"""Pixels: x264 and SVT-AV1 take no longer side."""
SHORTEST = {"hevc": 16}
"""Pixels: x265 takes no shorter side. H.264, VP9 and AV1 are encoded in any size."""


def fit(
    preset: str, rungs: Sequence[RungPlan], encoders: Sequence[VideoEncoder]
) -> tuple[tuple[RungPlan, ...], tuple[VideoEncoder, ...], tuple[LeftOut, ...]]:
    """The rungs that can be made, the encoders that have some, and what is left out.

    Raises:
        RequestError: the preset has none for this source, or none that displays without HDR show.
    """
    left = tuple(LeftOut(name=rung.name, why=why) for rung in rungs if (why := _why_not(rung)))
    made = tuple(rung for rung in rungs if not _why_not(rung))
    used = tuple(encoder for encoder in encoders if any(rung.family == encoder.family for rung in made))
    if not any(encoder.video_range == "SDR" for encoder in used):
        why = "; ".join(f"{one.name}: {one.why}" for one in left)
        raise RequestError(f"preset {preset} has no rung for this video's size ({why}); take one with H.264 or AV1")
    return made, used, left


def _why_not(rung: RungPlan) -> str | None:
    size = f"{rung.width}x{rung.height}"
    if max(rung.width, rung.height) > LONGEST:
        return f"{size} is longer than encoders take ({LONGEST} pixels)"
    shortest = SHORTEST.get(rung.family, 0)
    if min(rung.width, rung.height) < shortest:
        return f"{size} is narrower than {rung.family} encoders take ({shortest} pixels)"
    return None
