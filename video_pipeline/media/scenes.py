"""Scene boundaries, by PySceneDetect on a small rung."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Scene

MIN_SECONDS = 0.6
"""Shorter ones are flashes. The value that measures best, with AdaptiveDetector's defaults, in PySceneDetect's own
benchmark (https://github.com/Breakthrough/PySceneDetect/blob/main/benchmark/README.md)."""

STOP_SECONDS = 0.1
"""Between two wishes to stop."""


def detect(path: Path, plan: EncodingPlan) -> tuple[Scene, ...]:
    """The scenes, without gap from frame 0 to the last; one if there is no cut.

    Args:
        path: a rung of the plan: its frame k is frame k of the grid.
    """
    with detecting(path, plan) as found:
        return found.result()


@contextmanager
def detecting(path: Path, plan: EncodingPlan) -> Iterator[Future[tuple[Scene, ...]]]:
    """`detect` in a thread, beside what the block does. If that fails, or is interrupted, it ends early."""
    from scenedetect import AdaptiveDetector, SceneManager, open_video  # OpenCV takes its time to load

    manager = SceneManager()
    manager.add_detector(AdaptiveDetector(min_scene_len=max(1, round(MIN_SECONDS * plan.rate))))

    def scenes() -> tuple[Scene, ...]:
        manager.detect_scenes(open_video(str(path)), show_progress=False)
        found = {start.frame_num for start, _ in manager.get_scene_list(start_in_scene=True)}
        starts = sorted({0} | {frame for frame in found if frame < plan.frames})
        ends = [*starts[1:], plan.frames]
        return tuple(Scene(index=n, start=a, end=b) for n, (a, b) in enumerate(zip(starts, ends, strict=True)))

    with ThreadPoolExecutor(1, "scenes") as beside:
        future = beside.submit(scenes)
        try:
            yield future
        except BaseException:
            # It forgets to have been stopped when it begins.
            while not future.done():
                manager.stop()
                wait([future], STOP_SECONDS)
            raise
