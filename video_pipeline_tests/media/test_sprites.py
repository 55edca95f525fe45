"""Sheets are looked at with Pillow and cues read with a regular expression: brightness tells the time of every tile."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from video_pipeline.errors import CheckFailed, RequestError
from video_pipeline.media import sprites
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.image_products import Sprites
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.tiles import planning
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.test_bitrate import plan

PERIOD = 4.0
"""Seconds after which the brightness, from 32 to 224, starts again."""
CUE = r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})\n(\S+\.jpg)#xywh=(\d+),(\d+),(\d+),(\d+)(?:\n|\Z)"


@dataclass(frozen=True)
class Cue:
    start: float
    end: float
    sheet: str
    box: tuple[int, int, int, int]
    """Left, upper, right and lower side, as Pillow wants them."""


def cues(text: str) -> list[Cue]:
    assert text.startswith("WEBVTT\n\n")
    read = []
    for h1, m1, s1, h2, m2, s2, sheet, *place in re.findall(CUE, text):
        x, y, width, height = map(int, place)
        start, end = (int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in ((h1, m1, s1), (h2, m2, s2)))
        read.append(Cue(start, end, sheet, (x, y, x + width, y + height)))
    assert len(read) == text.count("-->")
    return read


def planned(
    frames: int, rate: str, interval: Fraction, size: tuple[int, int], gop: int, grid: tuple[int, int] = (10, 10)
) -> EncodingPlan:
    rung = RungPlan(
        name="h264-90p", family="h264", width=size[0], height=size[1], crf=23, maxrate=300_000, bufsize=600_000
    )
    images = ImagePlan(candidates=1, poster_width=640, tile_width=32, columns=grid[0], rows=grid[1], interval=interval)
    return plan(frames, Fraction(rate), 2 * gop).model_copy(update={"rungs": (rung,), "images": images})


def clock(tools: Tools, path: Path, made: EncodingPlan) -> Path:
    """A rung on the plan's grid whose brightness tells the time."""
    rung, seconds = made.rungs[0], float(made.duration)
    light = f"geq=lum='32+48*mod(T,{PERIOD})':cb=128:cr=128"
    source = (
        f"color=gray:size={rung.width}x{rung.height}:rate={made.rate}:duration={seconds + 1},format=yuv420p,{light}"
    )
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", "-sc_threshold", "0", "-flags", "+cgop"]
    count = ["-frames:v", str(made.frames), "-g", str(made.gop), "-keyint_min", str(made.gop)]
    run_ffmpeg(tools, "-f", "lavfi", "-i", source, *encoder, *count, path)
    return path


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as sheet:
        return sheet.width, sheet.height


def time_of(directory: Path, cue: Cue) -> float:
    """What the brightness of a tile says, in the period."""
    with Image.open(directory / cue.sheet) as sheet:
        assert cue.box[2] <= sheet.width
        assert cue.box[3] <= sheet.height
        level = float(np.asarray(sheet.convert("L").crop(cue.box)).mean())
    luma = 16 + level * 219 / 255
    return (luma - 32) / 48


def checked(tools: Tools, directory: Path, made: EncodingPlan) -> tuple[Sprites, list[Cue]]:
    """Makes the sheets and compares every tile with its cue's time."""
    result = sprites.make(tools, clock(tools, directory / "rung.mp4", made), made, directory)
    read = cues(result.vtt)
    assert len(read) == result.tiles == planning.count(made)
    for cue in read:
        off = abs(time_of(directory, cue) - cue.start % PERIOD)
        assert min(off, PERIOD - off) < 0.06, cue
    assert read[0].start == 0
    assert read[-1].end == pytest.approx(float(made.duration), abs=0.001)
    assert all(one.end == following.start for one, following in itertools.pairwise(read))
    return result, read


def test_sheets_of_ten_by_ten(tools: Tools, tmp_path: Path) -> None:
    """211 tiles: two full sheets, and 2 rows of a third, the last with one tile; the rest of it is black."""
    made = planned(1055, "25", Fraction(1, 5), (64, 36), 50)
    result, read = checked(tools, tmp_path, made)
    assert (result.tiles, len(result.sheets), result.columns, result.rows) == (211, 3, 10, 10)
    assert (result.tile_width, result.tile_height) == (32, 18)
    sizes = [size_of(path) for path in sorted(tmp_path.glob("sheet-*.jpg"))]
    assert sizes == [(320, 180)] * 3
    with Image.open(tmp_path / "sheet-002.jpg") as last:
        assert np.asarray(last.convert("L").crop((40, 20, 320, 180))).max() < 12
    assert [cue.sheet for cue in read[99:102]] == ["sheet-000.jpg", "sheet-001.jpg", "sheet-001.jpg"]
    assert [cue.box for cue in (read[0], read[9], read[10], read[99], read[210])] == [
        (0, 0, 32, 18),
        (288, 0, 320, 18),
        (0, 18, 32, 36),
        (288, 162, 320, 180),
        (0, 18, 32, 36),
    ]


@pytest.mark.parametrize(
    ("frames", "rate", "interval", "gop", "tiles"),
    [
        pytest.param(500, "25", Fraction(2), 50, 10, id="every key frame"),
        pytest.param(500, "25", Fraction(4), 50, 5, id="every second key frame"),
        pytest.param(500, "25", Fraction(3), 50, 7, id="between key frames"),
        pytest.param(599, "30000/1001", Fraction(2), 60, 10, id="29.97, key frames"),
        pytest.param(599, "30000/1001", Fraction(1), 60, 20, id="29.97"),
        pytest.param(501, "25", Fraction(2), 50, 11, id="a tile for one last frame"),
        pytest.param(1, "25", Fraction(2), 50, 1, id="one frame"),
        pytest.param(20, "5", Fraction(1, 10), 10, 20, id="shorter than a frame"),
    ],
)
def test_every_tile_shows_its_time(
    tools: Tools, tmp_path: Path, frames: int, rate: str, interval: Fraction, gop: int, tiles: int
) -> None:
    result, read = checked(tools, tmp_path, planned(frames, rate, interval, (64, 36), gop))
    assert len(read) == tiles
    assert len(result.sheets) == 1


@pytest.mark.parametrize(
    ("size", "tile"), [((64, 36), (32, 18)), ((36, 64), (18, 32)), ((64, 2), (32, 2)), ((50, 50), (32, 32))]
)
def test_tiles_have_the_shape_of_the_picture(
    tools: Tools, tmp_path: Path, size: tuple[int, int], tile: tuple[int, int]
) -> None:
    result, read = checked(tools, tmp_path, planned(100, "25", Fraction(2), size, 50))
    assert (result.tile_width, result.tile_height) == tile
    assert read[1].box == (tile[0], 0, 2 * tile[0], tile[1])


def test_a_column_and_a_row(tools: Tools, tmp_path: Path) -> None:
    (tmp_path / "row").mkdir()
    tall, _ = checked(tools, tmp_path, planned(200, "25", Fraction(2), (64, 36), 50, (1, 4)))
    assert size_of(tmp_path / "sheet-000.jpg") == (32, 72)
    flat, _ = checked(tools, tmp_path / "row", planned(200, "25", Fraction(2), (64, 36), 50, (4, 1)))
    assert size_of(tmp_path / "row" / "sheet-000.jpg") == (128, 18)
    assert len(tall.sheets) == len(flat.sheets) == 1


def test_the_same_video_gives_the_same_bytes(tools: Tools, tmp_path: Path) -> None:
    made = planned(200, "25", Fraction(1), (64, 36), 50)
    rung = clock(tools, tmp_path / "rung.mp4", made)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert sprites.make(tools, rung, made, tmp_path / "a") == sprites.make(tools, rung, made, tmp_path / "b")


def test_a_video_of_a_day_has_hours(tools: Tools, tmp_path: Path) -> None:
    """87 frames, each shown for 1000 s."""
    slow = planned(87, "1/1000", Fraction(29_000), (64, 36), 50)
    made = planned(87, "25", Fraction(2), (64, 36), 50)
    fast = clock(tools, tmp_path / "fast.mp4", made)
    rung = tmp_path / "rung.mp4"
    run_ffmpeg(tools, "-i", fast, "-c", "copy", "-bsf:v", "setts=ts=TS*25000", rung)
    read = cues(sprites.make(tools, rung, slow, tmp_path).vtt)
    assert [(cue.start, cue.end) for cue in read] == [(0, 29_000), (29_000, 58_000), (58_000, 87_000)]


def test_frames_off_their_times_are_no_tiles(tools: Tools, tmp_path: Path) -> None:
    """Their number is right, and the decoder says that they are shown at other times."""
    made = planned(200, "25", Fraction(1), (64, 36), 50)
    rung, late = clock(tools, tmp_path / "rung.mp4", made), tmp_path / "late.mp4"
    run_ffmpeg(tools, "-i", rung, "-c", "copy", "-bsf:v", "setts=ts=TS*1.02", late)
    with pytest.raises(CheckFailed, match=r"that of tile 1, due at frame 25, is at frame 25\.5"):
        sprites.make(tools, late, made, tmp_path)
    short = made.model_copy(update={"frames": 250})
    with pytest.raises(CheckFailed, match="8 frames for 10 tiles; that of tile 8, due at frame 200, is missing"):
        sprites.make(tools, rung, short, tmp_path)


def test_sheets_get_coarser_until_they_fit(tools: Tools, tmp_path: Path) -> None:
    """Noise: the lowest quality always fits what was planned, and what never fits is said."""
    made = planned(100, "25", Fraction(1, 25), (64, 36), 50)
    rung = tmp_path / "noise.mp4"
    noise = "color=gray:size=64x36:rate=25,format=yuv420p,noise=alls=100:allf=t"
    run_ffmpeg(tools, "-f", "lavfi", "-i", noise, "-frames:v", "100", "-c:v", "libx264", "-crf", "0", "-g", "50", rung)

    def within(limit: int) -> Sprites:
        images = made.images.model_copy(update={"max_sheet_bytes": limit})
        return sprites.make(tools, rung, made.model_copy(update={"images": images}), tmp_path)

    plenty = within(10**9)
    weight = sum(sheet.size for sheet in plenty.sheets)
    assert (plenty.tiles, plenty.quality) == (100, 80)
    half = within(weight // 2)
    assert sum(sheet.size for sheet in half.sheets) <= weight // 2
    assert 20 <= half.quality < 80
    with pytest.raises(RequestError, match=r"images.max_sheet_kilobytes: 100 tile\S* of 32x18 ha\S+ \d+ bytes"):
        within(weight // 20)
