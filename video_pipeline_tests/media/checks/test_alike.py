"""Whether two files show the same picture is not whether they look equally well."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from video_pipeline.media import forms
from video_pipeline.media.checks.alike import unlike
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.image_products import Thumbnail, Thumbnails


def lines() -> Image.Image:
    """As of a spreadsheet on a screen: what scaling turns into moiré."""
    pixels = np.full((360, 640, 3), 240, np.uint8)
    pixels[::3, :, :] = 40
    pixels[:, ::5, 0] = 10
    return Image.fromarray(pixels)


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8))


@pytest.mark.parametrize("picture", [lines(), noise()], ids=["lines", "noise"])
def test_what_codecs_and_widths_change_is_no_other_picture(tmp_path: Path, picture: Image.Image) -> None:
    images = ImagePlan(
        candidates=1,
        poster_width=640,
        widths=(32, 100, 334),
        formats=("jpeg", "webp"),
        ssim=0.99,
        tile_width=160,
        columns=1,
        rows=1,
        interval=Fraction(2),
    )
    files = forms.save(picture, "poster", images, tmp_path)
    poster = Thumbnail(
        name="poster.jpg", frame=0, time=0, width=640, height=360, score=1, file=files[0].file, forms=files
    )
    shown = Thumbnails(poster=poster)
    paths = {form.name: tmp_path / form.name for form in files}
    assert len(paths) == 8
    assert unlike(shown, paths) == []
    other = tmp_path / "other.webp"
    Image.new("RGB", (334, 188), (200, 30, 30)).save(other)
    ((name, why),) = unlike(shown, {**paths, "poster-334.webp": other})
    assert name == "poster-334.webp"
    assert "does not show what poster.jpg does" in why
