"""The stages of a video and their share of the whole, for one percentage that never goes back."""

from __future__ import annotations

from collections.abc import Mapping

from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.video_plan import Family

# Shares of the wall time of preset web on a minute of 720p, as `make bench` prints them, in whole percent.
WEIGHTS: dict[str, float] = {
    "source": 1,
    "technical_metadata": 1,
    "encoding_plan": 1,
    "subtitles": 0,
    "renditions/h264": 80,
    "renditions/hevc": 0,
    "renditions/vp9": 0,
    "renditions/av1": 0,
    "renditions/audio": 2,
    "streams": 1,
    "download": 0,
    "content_analysis": 3,
    "thumbnails": 3,
    "sprites": 1,
    "preview": 1,
    "quality_report": 6,
    "release": 1,
    "metadata_index": 1,
}


COSTS: dict[Family, float] = {"h264": 1, "hevc": 2, "vp9": 3, "av1": 1}
"""CPU time per pixel, roughly, at the speeds of the built-in presets."""
SEARCH_SECONDS = 24.0
"""Of video, which encode about as fast as the CRFs of their rungs are searched, however long the video is: `make
bench-search` prints 45 % of the encode for 52 s."""


def shares(plan: EncodingPlan, *, searched: bool) -> dict[str, float]:
    """How the work of encoding is spread over the families of a plan: stage to weight, in all as above.

    Args:
        searched: the CRFs are yet to be found, which is a part of the stage `encoding_plan`.
    """
    stages: dict[Family, str] = {family: f"renditions/{family}" for family in COSTS}
    work = {
        stages[family]: cost * sum(rung.width * rung.height for rung in plan.family(family))
        for family, cost in COSTS.items()
    }
    whole = sum(WEIGHTS[stage] for stage in work)
    search = whole * SEARCH_SECONDS / (SEARCH_SECONDS + float(plan.duration)) if searched else 0.0
    spread = {stage: (whole - search) * part / sum(work.values()) for stage, part in work.items()}
    return {"encoding_plan": WEIGHTS["encoding_plan"] + search, **spread}


class Percent:
    """The share of the whole that is done, 0 to 100; it never falls."""

    def __init__(self) -> None:
        self._done: dict[str, float] = {}
        self._weights = dict(WEIGHTS)
        self.value = 0.0

    def expect(self, weights: Mapping[str, float]) -> None:
        """Other weights for some stages, the same in all: what these take is known only now."""
        self._weights |= weights

    def update(self, stage: str, fraction: float) -> float:
        """Takes the share of one stage that is done, 0 to 1, and returns the whole.

        A stage tried again starts over, the whole does not.
        """
        self._done[stage] = min(1.0, max(0.0, fraction))
        total = sum(self._weights.get(name, 0) * share for name, share in self._done.items())
        self.value = max(self.value, min(100.0, round(100 * total / sum(self._weights.values()), 1)))
        return self.value
