"""Contact sheets: every picture is on them, with its words, and small enough."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from video_pipeline.media import contact_sheet

COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)]


@pytest.fixture
def pictures(tmp_path: Path) -> list[contact_sheet.Titled]:
    titled: list[contact_sheet.Titled] = []
    for n, colour in enumerate(COLOURS):
        path = tmp_path / f"{n}.png"
        Image.new("RGB", (640, 360), colour).save(path)
        titled.append((path, [f"#{n}  0.50  {n}.0 s"]))
    return titled


def test_pictures_row_by_row_and_words_below(pictures: list[contact_sheet.Titled]) -> None:
    sheet = contact_sheet.draw(pictures, 240)
    assert sheet.width == 3 * (240 + 4) + 4
    line = round(sheet.height / 2)
    for n, colour in enumerate(COLOURS):
        x, y = 4 + n % 3 * 244, 4 + n // 3 * line
        assert sheet.getpixel((x + 120, y + 60)) == colour
        below = np.asarray(sheet.crop((x, y + 137, x + 240, y + line - 6)))
        assert below.max() > 200  # letters
    assert sheet.getpixel((4 + 244 + 120, 4 + line + 60)) == contact_sheet.BACK


def test_words_that_do_not_fit_are_cut_off(pictures: list[contact_sheet.Titled]) -> None:
    sheet = contact_sheet.draw([(pictures[0][0], ["w" * 200])], 240)
    assert sheet.width == 248


def test_as_small_as_is_wanted(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (720, 1280, 3), np.uint8)
    path = tmp_path / "noise.png"
    Image.fromarray(noise).save(path)
    data = contact_sheet.small([(path, ["#1  0.50  1.0 s"])] * 9, 40_000)
    assert len(data) <= 40_000
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.format == "JPEG"
