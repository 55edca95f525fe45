from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from video_pipeline import presets
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.pictures import save
from video_pipeline.media.tiles import planning
from video_pipeline.presets.images import Images

HD = (160, 90)


def wanted(**changes: object) -> Images:
    return presets.load("web").images.model_copy(update=changes)


@pytest.mark.parametrize(
    ("seconds", "rate", "changes", "due"),
    [
        pytest.param(60, "25", {}, 2, id="as asked"),
        pytest.param(60, "30000/1001", {}, Fraction(60 * 1001, 30000), id="in whole frames"),
        pytest.param(60, "25", {"interval": Fraction(3)}, 3, id="between key frames, as asked"),
        pytest.param(2370, "25", {}, 2, id="12 sheets are enough"),
        pytest.param(2380, "25", {}, 4, id="a tile more than fits: the next key frame"),
        pytest.param(10_800, "25", {}, 10, id="3 hours"),
        pytest.param(10_800, "24000/1001", {}, 5 * Fraction(48 * 1001, 24000), id="3 hours of film"),
        pytest.param(86_400, "25", {}, 74, id="a day"),
        pytest.param(1000, "25", {"interval": Fraction(1, 5)}, Fraction(22, 25), id="less than a GOP in frames"),
        pytest.param(10_800, "25", {"max_sheets": 1}, 108, id="one sheet"),
        pytest.param(10_800, "25", {"columns": 1, "rows": 1, "max_sheets": 2}, 5400, id="two tiles"),
        pytest.param(10_800, "25", {"max_sheet_kilobytes": 300}, 184, id="few bytes"),
        pytest.param(10_800, "25", {"max_sheet_kilobytes": 50, "tile_width": 640}, 10_800, id="hardly any"),
    ],
)
def test_the_interval(seconds: int, rate: str, changes: dict[str, object], due: Fraction) -> None:
    fps = Fraction(rate)
    frames, gop, images = round(seconds * fps), round(2 * fps), wanted(**changes)
    tile = (images.tile_width, images.tile_width * 9 // 16)
    found = planning.interval(images, fps, frames, gop, tile)
    assert found == due
    assert (found * fps).denominator == 1
    tiles = math.ceil(frames / (found * fps))
    assert math.ceil(tiles / (images.columns * images.rows)) <= images.max_sheets


@pytest.mark.parametrize(
    ("tiles", "shape"),
    [(1, (1, 1)), (3, (3, 1)), (10, (10, 1)), (11, (10, 2)), (100, (10, 10)), (101, (10, 10)), (1080, (10, 10))],
)
def test_sheets_are_no_larger_than_their_tiles(tiles: int, shape: tuple[int, int]) -> None:
    images = ImagePlan(candidates=1, poster_width=640, tile_width=160, columns=10, rows=10, interval=Fraction(2))
    assert planning.layout(images, tiles) == shape


def test_the_worst_picture_takes_no_more_than_is_planned(tmp_path: Path) -> None:
    """Of black and white by chance, in the lowest quality."""
    noise = Image.effect_noise((1600, 900), 255).point(lambda level: 255 * (level > 127)).convert("RGB")
    path = tmp_path / "worst.jpg"
    save(noise, path, planning.LOWEST_QUALITY)
    each = path.stat().st_size / (1600 * 900)
    assert 0.9 * planning.BYTES_PER_PIXEL < each < planning.BYTES_PER_PIXEL
    save(Image.new("RGB", (8, 8)), path, planning.LOWEST_QUALITY)
    assert path.stat().st_size < planning.BYTES_PER_SHEET
