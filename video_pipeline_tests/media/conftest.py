from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import mixed, release
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


@pytest.fixture(scope="session")
def families(tools: Tools, make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Made:
    """5 s with sound in all four families, two rungs of each."""
    clip = make_clip("families.mp4", seconds=5, size="640x360")
    return release.make(tools, clip, tmp_path_factory.mktemp("families"), mixed.preset())


@pytest.fixture(scope="session", params=list(mixed.TRANSFERS))
def kept(tools: Tools, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Made:
    """3 s of HDR in all four families, one rung of each; H.264 in SDR."""
    directory = tmp_path_factory.mktemp("kept")
    clip = mixed.hdr_clip(tools, directory / "source.mp4", request.param, seconds=3, size="320x180")
    return release.make(tools, clip, directory, mixed.preset(10, crf=12, hdr="keep"))
