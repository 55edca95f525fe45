from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import release
from video_pipeline_tests.media.release import Made
from video_pipeline_tests.media.text import clips


@pytest.fixture(scope="session")
def made(tools: Tools, make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Made:
    """6 s with a cut, in two renditions and sound: 2 segments of 4 and 2 s, 3 key frames, 15 tiles on 3 sheets."""
    clip = make_clip("release.mp4", seconds=6, size="640x360")
    return release.make(tools, clip, tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def worded(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """4 s without sound, with English and French subtitles, French the default, and three chapters."""
    directory = tmp_path_factory.mktemp("worded")
    return release.make(tools, clips.worded(tools, directory), directory)
