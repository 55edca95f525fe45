"""SSIM as the formula says it, against sums over every window in double precision, and against ffmpeg's filter."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from video_pipeline.media.ssim import Reference, luma
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_log


def painted(size: tuple[int, int] = (160, 90), seed: int = 1) -> Image.Image:
    """Soft spots and edges in colour, the same every time."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 16, 3), np.uint8)
    picture = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
    picture.paste((240, 200, 20), (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    return picture


def by_the_book(one: Image.Image, other: Image.Image) -> float:
    """Wang et al. 2004, window by window."""
    x, y = (np.asarray(picture.convert("L"), np.float64) for picture in (one, other))
    near = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(near, near) / np.outer(near, near).sum()
    found = []
    for row in range(x.shape[0] - 10):
        for column in range(x.shape[1] - 10):
            a, b = (plane[row : row + 11, column : column + 11] for plane in (x, y))
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            both = (window * (a - mean_a) * (b - mean_b)).sum()
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            found.append(
                (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
            )
    return float(np.mean(found))


def ssim(one: Image.Image, other: Image.Image) -> float:
    return Reference(luma(one)).ssim(luma(other))


@pytest.mark.parametrize("blur", [0.7, 2.5])
def test_it_is_the_formula(tools: Tools, tmp_path: Path, blur: float) -> None:
    one = painted()
    other = one.filter(ImageFilter.GaussianBlur(blur))
    due = by_the_book(one, other)
    assert due < 0.999
    assert ssim(one, other) == pytest.approx(due, abs=1e-4)
    for name, picture in (("one", one), ("other", other)):
        picture.convert("L").save(tmp_path / f"{name}.png")
    said = run_log(tools, "-i", tmp_path / "one.png", "-i", tmp_path / "other.png", "-lavfi", "ssim", "-f", "null", "-")
    found = re.search(r"SSIM Y:(\d\.\d+)", said)
    assert found
    # Its windows are flat squares of 8 pixels.
    assert ssim(one, other) == pytest.approx(float(found[1]), abs=0.02)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (7, 400), (11, 11)])
def test_small_pictures(size: tuple[int, int]) -> None:
    one = painted(size)
    assert ssim(one, one) == pytest.approx(1, abs=1e-5)
    assert ssim(one, Image.new("RGB", size, "black")) < 0.5
