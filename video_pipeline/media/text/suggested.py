"""Chapters suggested for a video from its scenes; those of a source are published as they are and say more."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from video_pipeline.media.products import Scene
from video_pipeline.media.text.cues import Cue, webvtt

SHORTEST = Fraction(10)
"""Seconds of a chapter at least."""
MOST = 20
"""Chapters; those of a long video last accordingly."""
_STRENGTH = {"fade": 2, "dissolve": 1}
"""A film changes its subject with a fade rather than with a dissolve, and with that rather than with a cut."""


def chapters(scenes: Sequence[Scene], rate: Fraction, frames: int) -> list[int]:
    """First frames of the chapters, the first 0; empty if there would be one only.

    The strongest changes of scene at least max(10 s, 1/20 of the video) apart, and of equally strong ones always that
    which is farthest from those there are.

    Args:
        rate: frames/s.
        frames: of the whole video.
    """
    least = max(SHORTEST * rate, Fraction(frames, MOST))
    starts = [0, frames]
    left = list(scenes[1:])
    while left := [scene for scene in left if _free(scene, starts) >= least]:
        best = max(left, key=lambda scene: (_STRENGTH.get(scene.transition, 0), _free(scene, starts), -scene.start))
        starts.append(best.start)
    return sorted(starts)[:-1] if len(starts) > 2 else []


def _free(scene: Scene, starts: Sequence[int]) -> int:
    """Frames to the nearest start of a chapter."""
    return min(abs(scene.start - start) for start in starts)


def suggested(scenes: Sequence[Scene], rate: Fraction, frames: int) -> str | None:
    """WebVTT with a cue for each chapter; None without chapters."""
    starts = chapters(scenes, rate, frames)
    if not starts:
        return None
    ends = [*starts[1:], frames]
    cues = [
        Cue(int(start / rate * 1000), int(end / rate * 1000), f"Chapter {number}")
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1)
    ]
    return webvtt(cues, clock=False)
