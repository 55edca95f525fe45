from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from video_pipeline.media.pictures import preview, save


@pytest.fixture
def noise() -> Image.Image:
    """The picture that compresses worst."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (720, 1280, 3), np.uint8))


def test_the_same_picture_gives_the_same_bytes(noise: Image.Image, tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        save(noise, tmp_path / name, 80)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    with Image.open(tmp_path / "a.jpg") as read:
        assert (read.size, read.format) == ((1280, 720), "JPEG")
        assert read.info.get("progressive")
        assert not read.getexif()


@pytest.mark.parametrize(
    ("limit", "longer"), [(10**6, 640), (60_000, 640), (30_000, 480), (10_000, 320), (3_000, 240), (600, 120)]
)
def test_a_preview_fits(noise: Image.Image, tmp_path: Path, limit: int, longer: int) -> None:
    save(noise, tmp_path / "large.jpg", 90)
    content = preview(tmp_path / "large.jpg", limit)
    assert len(content) <= limit
    with Image.open(io.BytesIO(content)) as read:
        assert read.size == (longer, pytest.approx(longer * 9 / 16, abs=1))


def test_a_small_picture_is_not_made_larger(noise: Image.Image, tmp_path: Path) -> None:
    save(noise.resize((64, 36)), tmp_path / "small.jpg", 90)
    with Image.open(io.BytesIO(preview(tmp_path / "small.jpg", 10**6))) as read:
        assert read.size == (64, 36)
