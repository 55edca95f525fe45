"""The stages of a video and their share of the whole, for one percentage that never goes back."""

from __future__ import annotations

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
    "quality_report": 6,
    "release": 1,
    "metadata_index": 1,
}


class Percent:
    """The share of the whole that is done, 0 to 100; it never falls."""

    def __init__(self) -> None:
        self._done: dict[str, float] = {}
        self.value = 0.0

    def update(self, stage: str, fraction: float) -> float:
        """Takes the share of one stage that is done, 0 to 1, and returns the whole.

        A stage tried again starts over, the whole does not.
        """
        self._done[stage] = min(1.0, max(0.0, fraction))
        total = sum(WEIGHTS.get(name, 0) * share for name, share in self._done.items())
        self.value = max(self.value, round(100 * total / sum(WEIGHTS.values()), 1))
        return self.value
