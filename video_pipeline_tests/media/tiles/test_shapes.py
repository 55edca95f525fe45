"""Whole releases of videos whose tiles are unlike others: every check of theirs passes, and the three forms agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from video_pipeline.media.checks.tile_forms import forms
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import release


@pytest.mark.parametrize(
    ("size", "frames", "tiles", "tile"),
    [
        pytest.param("180x320", 1, 1, (90, 160), id="one portrait frame"),
        pytest.param("640x40", 11, 2, (160, 10), id="a tile for one last frame, very wide"),
        pytest.param("242x242", 10, 1, (160, 160), id="square"),
    ],
)
def test_a_release(tools: Tools, tmp_path: Path, size: str, frames: int, tiles: int, tile: tuple[int, int]) -> None:
    clip = tmp_path / "clip.mp4"
    picture = f"testsrc2=size={size}:rate=25"
    encoder = ("-frames:v", str(frames), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    release.run_ffmpeg(tools, "-f", "lavfi", "-i", picture, *encoder, clip)
    made = release.make(tools, clip, tmp_path)
    assert made.failed() == {}
    assert (made.sprites.tiles, made.sprites.frames) == (tiles, (0, 10)[:tiles])
    with Image.open(made.images["sheet-000.jpg"]) as sheet:
        assert sheet.size == (tiles * tile[0], tile[1])
    read = dict(forms(made.sprites.vtt, made.streams.texts))
    assert set(read) == {"sprites/sprites.vtt", "hls/sprites.m3u8", "dash/manifest.mpd"}
    for found in read.values():
        assert [one.box for one in found] == [(n * tile[0], 0, *tile) for n in range(tiles)]
        assert float(found[-1].end) == pytest.approx(frames / 25, abs=1e-3)
