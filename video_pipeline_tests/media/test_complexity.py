from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline.media import complexity
from video_pipeline.media.products import Scene
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.test_bitrate import plan

SCENES = (Scene(index=0, start=0, end=50), Scene(index=1, start=50, end=75), Scene(index=2, start=75, end=150))


def test_a_scene_is_as_hard_as_its_bytes_say(tools: Tools, tmp_path: Path) -> None:
    """Bars that move, noise, one grey: of B-frames, too, each counts where it is shown."""
    path = tmp_path / "v.mp4"
    bars = "testsrc2=size=320x180:rate=25,trim=end_frame=50"
    noise = "color=gray:size=320x180:rate=25,noise=alls=60:allf=t,trim=end_frame=25"
    gray = "color=gray:size=320x180:rate=25,trim=end_frame=75"
    parts = ";".join(f"{part},setsar=1,format=yuv420p[v{n}]" for n, part in enumerate((bars, noise, gray)))
    encoder = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "50"]
    run_ffmpeg(tools, "-filter_complex", f"{parts};[v0][v1][v2]concat=n=3", *encoder, path)
    found = complexity.weighed(tools, path, plan(150, Fraction(25)), SCENES)
    assert [scene.model_copy(update={"complexity": None}) for scene in found] == list(SCENES)
    packets = ffprobe.show(tools, path, "-show_entries", "packet=pts_time,size")["packets"]
    whole = sum(int(packet["size"]) for packet in packets) / 150
    for scene in found:
        inside = [int(p["size"]) for p in packets if scene.start <= round(float(p["pts_time"]) * 25) < scene.end]
        assert scene.complexity == pytest.approx(sum(inside) / (scene.end - scene.start) / whole, abs=1e-3)
    first, second, third = (scene.complexity or 0 for scene in found)
    assert second > first > third


def test_a_file_that_says_nothing_leaves_it_open(tools: Tools, tmp_path: Path) -> None:
    path = tmp_path / "none.mp4"
    path.write_bytes(b"nothing")
    assert complexity.weighed(tools, path, plan(150, Fraction(25)), SCENES) == SCENES
