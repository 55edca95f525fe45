"""Scene boundaries, by PySceneDetect on a small rung."""

from __future__ import annotations

from pathlib import Path

from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Scene

MIN_SECONDS = 0.6
"""Shorter ones are flashes. The value that measures best, with AdaptiveDetector's defaults, in PySceneDetect's own
benchmark (https://github.com/Breakthrough/PySceneDetect/blob/main/benchmark/README.md)."""


def detect(path: Path, plan: EncodingPlan) -> tuple[Scene, ...]:
    """The scenes, without gap from frame 0 to the last; one if there is no cut.

    Args:
        path: a rung of the plan: its frame k is frame k of the grid.
    """
    from scenedetect import AdaptiveDetector, SceneManager, open_video  # OpenCV takes its time to load

    manager = SceneManager()
    manager.add_detector(AdaptiveDetector(min_scene_len=max(1, round(MIN_SECONDS * plan.rate))))
    manager.detect_scenes(open_video(str(path)), show_progress=False)
    found = {start.frame_num for start, _ in manager.get_scene_list(start_in_scene=True)}
    starts = sorted({0} | {frame for frame in found if frame < plan.frames})
    ends = [*starts[1:], plan.frames]
    return tuple(Scene(index=n, start=start, end=end) for n, (start, end) in enumerate(zip(starts, ends, strict=True)))
