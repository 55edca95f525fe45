"""Chapters suggested from scenes, as a release has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from video_pipeline import cli_process
from video_pipeline.media.tools import Tools
from video_pipeline.settings import Settings
from video_pipeline_tests import ffprobe


def test_a_long_video_has_chapters_suggested(own_home: Settings, make_clip: Callable[..., Path], tools: Tools) -> None:
    """24 s with one cut, in the middle; the source has no chapters, so that none are published as its own."""
    clip = make_clip("long.mp4", seconds=24, size="160x90", rate="10", audio=False)
    release_id = cli_process.run(own_home, "long", source=str(clip), preset="draft")
    release = own_home.home / "store" / "videos" / "long" / "releases" / release_id
    path = release / "analysis" / "chapters-suggested.vtt"
    cues = ffprobe.show(tools, path, "-show_entries", "packet=pts_time,duration_time")["packets"]
    assert [(float(cue["pts_time"]), float(cue["duration_time"])) for cue in cues] == [(0, 12), (12, 12)]
    assert [line for line in path.read_text().splitlines() if "Chapter" in line] == ["Chapter 1", "Chapter 2"]
    assert not (release / "chapters.vtt").exists()
    listed = {file["path"] for file in json.loads((release / "release.json").read_bytes())["files"]}
    assert "analysis/chapters-suggested.vtt" in listed
    [first, second] = json.loads((release / "metadata.json").read_bytes())["analysis"]["scenes"]
    assert (first["transition"], second["transition"], second["start"]) == ("start", "cut", 120)
    assert first["complexity"] > 0
    assert second["complexity"] > 0
