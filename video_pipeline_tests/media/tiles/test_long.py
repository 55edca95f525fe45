"""Three hours, by the default preset: its smallest rung is a GOP grid of 20 s, over and over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from video_pipeline import presets
from video_pipeline.media import sprites
from video_pipeline.media.checks.tile_forms import forms
from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.tiles import dash, hls, planning
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.test_sprites import planned

SECONDS, PERIOD = 3 * 3600, 20


@pytest.mark.slow
def test_three_hours(tools: Tools, tmp_path: Path) -> None:
    """The brightness says the time within the 20 s; tiles are 10 s apart, so that it is one of two."""
    made = long_plan()
    rung = tmp_path / "rung.mp4"
    light = f"color=gray:size=426x240:rate=25:duration={PERIOD},format=yuv420p,geq=lum='32+8*T':cb=128:cr=128"
    grid = (
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-g",
        "50",
        "-keyint_min",
        "50",
        "-sc_threshold",
        "0",
        "-bf",
        "0",
    )
    run_ffmpeg(tools, "-f", "lavfi", "-i", light, *grid, tmp_path / "part.mp4")
    again = ("-stream_loop", str(SECONDS // PERIOD - 1), "-i", tmp_path / "part.mp4")
    run_ffmpeg(tools, *again, "-c", "copy", rung)
    result = sprites.make(tools, rung, made, tmp_path)
    assert (result.tiles, len(result.sheets), float(result.interval)) == (1080, 11, 10)
    assert sum(sheet.size for sheet in result.sheets) <= 6_000_000
    master = hls.with_tiles("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\na.m3u8\n", result, made.duration)
    period = f'<Period duration="PT{SECONDS}S"/>'
    mpd = dash.with_tiles(f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">{period}</MPD>', result, made)
    texts = {MASTER: master, MPD: mpd, **hls.playlists(result, made.duration)}
    read = dict(forms(result.vtt, texts))
    assert len(read) == 3
    for tiles in read.values():
        assert [float(tile.start) for tile in tiles] == pytest.approx(range(0, SECONDS, 10), abs=2e-3)
        for n in (0, 1, 99, 100, 539, 540, 1078, 1079):
            x, y, width, height = tiles[n].box
            with Image.open(tmp_path / tiles[n].sheet_name) as sheet:
                level = float(np.asarray(sheet.convert("L").crop((x, y, x + width, y + height))).mean())
            seconds = (16 + level * 219 / 255 - 32) / 8
            assert seconds == pytest.approx(10 * n % PERIOD, abs=0.4), n


def long_plan() -> EncodingPlan:
    images = presets.load("web").images
    made = planned(SECONDS * 25, "25", images.interval, (426, 240), 50)
    tile = planning.size(made.rungs[0], images.tile_width)
    every = planning.interval(images, made.rate, made.frames, made.gop, tile)
    wanted = {"tile_width": images.tile_width, "interval": every, "max_sheet_bytes": 1000 * images.max_sheet_kilobytes}
    return made.model_copy(update={"images": made.images.model_copy(update=wanted)})
