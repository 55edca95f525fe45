"""A poster that somebody brought is that picture, cut or barred; anything else in its place is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from video_pipeline.media import custom_picture
from video_pipeline.media.checks.brought import custom_poster
from video_pipeline.media.files import blob_of
from video_pipeline.media.image_plan import Fit, ImagePlan
from video_pipeline.media.image_products import CustomPicture
from video_pipeline.media.model import SourceFile
from video_pipeline.media.thumbnails import poster_size
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.checks.faults import Fault, assert_only
from video_pipeline_tests.media.release import Made

POSTER, CHOSEN = "poster.jpg", "chosen.jpg"
SHAPE = (320, 180)
Change = Callable[[Image.Image], Image.Image]


def drawn(path: Path, size: tuple[int, int]) -> Path:
    """Blocks of chance colours."""
    blocks = np.random.default_rng(7).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def plan(rule: Fit) -> ImagePlan:
    fields = {"candidates": 1, "poster_width": 320, "custom": rule, "background": "white"}
    return ImagePlan.model_validate({**fields, "tile_width": 32, "columns": 1, "rows": 1, "interval": 1})


def source(path: Path) -> SourceFile:
    return SourceFile(blob=blob_of(path), name=path.name, uri=str(path))


def with_custom(made: Made, directory: Path, change: Change) -> Made:
    """The release with a picture that was brought, and with the poster changed after that."""
    brought = drawn(directory / "own.png", (500, 400))
    custom = custom_picture.make(
        made.tools, source(brought), brought, made.plan.images, poster_size(made.plan), directory
    )
    with Image.open(directory / POSTER) as opened:
        changed = change(opened.convert("RGB"))
    changed.save(directory / POSTER, quality=95)
    file = blob_of(directory / POSTER)
    forms = tuple(form.model_copy(update={"file": file} if form.name == POSTER else {}) for form in custom.forms)
    before = made.thumbnails.poster
    named = tuple(form.model_copy(update={"name": CHOSEN}) for form in before.forms if form.name == POSTER)
    thumbnails = made.thumbnails.model_copy(
        update={
            "poster": before.model_copy(update={"name": CHOSEN, "forms": named}),
            "custom": custom.model_copy(update={"file": file, "forms": forms}),
        }
    )
    files = {**made.images, CHOSEN: made.images[POSTER], POSTER: directory / POSTER}
    files |= {form.name: directory / form.name for form in custom.forms}
    return replace(made, thumbnails=thumbnails, images=files, brought=brought)


FAULT = Fault(
    lambda made, directory: with_custom(made, directory, ImageOps.mirror), POSTER, "does not show the picture that was"
)


def test_a_release_with_one_passes(made: Made, tmp_path: Path) -> None:
    assert with_custom(made, tmp_path, lambda picture: picture).failed() == {}


@pytest.mark.parametrize("rule", ["crop", "fit"])
@pytest.mark.parametrize("size", [(300, 700), (61, 47), (17, 16)])
def test_the_picture_itself_is_found_right(tools: Tools, tmp_path: Path, rule: Fit, size: tuple[int, int]) -> None:
    path = drawn(tmp_path / "own.png", size)
    made = custom_picture.make(tools, source(path), path, plan(rule), SHAPE, tmp_path)
    assert list(custom_poster(tools, plan(rule), SHAPE, made, path, tmp_path / made.name, tmp_path)) == []


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("crop", ImageOps.flip),
        ("crop", ImageOps.invert),
        ("crop", lambda picture: ImageEnhance.Brightness(picture).enhance(0.8)),
        ("crop", lambda picture: picture.crop((60, 0, 320, 180)).resize(SHAPE)),
        ("fit", lambda picture: ImageOps.expand(picture.crop((70, 0, 250, 180)), (70, 0), "black")),
        ("fit", lambda picture: picture.resize((160, 180)).resize(SHAPE).crop((50, 0, 270, 180)).resize(SHAPE)),
    ],
    ids=["upside down", "negative", "darker", "cut elsewhere", "other bars", "no bars"],
)
def test_another_one_is_found(tools: Tools, tmp_path: Path, rule: Fit, change: Change) -> None:
    path = drawn(tmp_path / "own.png", (400, 400))
    made: CustomPicture = custom_picture.make(tools, source(path), path, plan(rule), SHAPE, tmp_path)
    with Image.open(tmp_path / made.name) as picture:
        change(picture.convert("RGB")).save(tmp_path / "other.jpg", quality=95)
    [(subject, said)] = custom_poster(tools, plan(rule), SHAPE, made, path, tmp_path / "other.jpg", tmp_path)
    assert subject == POSTER
    assert said.startswith("does not show the picture that was brought, but what is ")


def test_a_release_with_another_fails(made: Made, tmp_path: Path) -> None:
    assert_only("picture_times", FAULT, made, tmp_path)
