"""The check that a poster shows the picture that somebody brought, cut or with bars as the preset has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, UnidentifiedImageError

from video_pipeline.errors import PermanentError
from video_pipeline.media import custom_picture
from video_pipeline.media.checks.verdict import Problem
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.image_products import CustomPicture
from video_pipeline.media.tools import Tools

SIDE = 16
"""Pixels of both sides that pictures are compared at."""
MOST_OFF = 8.0
"""Of 255, the mean over a picture, as of frames."""
_LARGE = 512
"""Neither side of the brought picture is scaled below."""
_SMALL = 64
"""Of smaller posters a pixel, to which sizes are rounded, is much of the picture."""
Pixels = NDArray[np.uint8]
"""Rows times columns times RGB."""
Means = NDArray[np.float64]
"""Likewise, `SIDE` times `SIDE`."""


def custom_poster(
    tools: Tools,
    images: ImagePlan,
    shape: tuple[int, int],
    custom: CustomPicture,
    brought: Path,
    poster: Path | None,
    scratch: Path,
) -> Iterator[Problem]:
    """What is wrong with it. The picture is decoded again, and laid out by means of its own. A poster that cannot be
    read is a matter of other checks.

    Args:
        shape: planned width and height of posters; this one may be smaller.
    """
    shown = _open(poster)
    if shown is None:
        return
    whole = scratch / "brought.png"
    try:
        custom_picture.decode(tools, brought, (_LARGE, _LARGE), "whole", images.background, whole)
    except PermanentError as error:
        yield custom.name, f"the picture that was brought cannot be read: {error}"
        return
    pixels = _open(whole)
    assert pixels is not None
    least = min(shown.shape[:2])
    off = float(np.abs(_means(shown, *_all_of(shown), (0, 0, 0)) - _due(pixels, shape, images)).mean())
    if off > MOST_OFF * max(1, _SMALL / least):
        yield custom.name, f"does not show the picture that was brought, but what is {off:.0f} of 255 away from it"


def _due(pixels: Pixels, shape: tuple[int, int], images: ImagePlan) -> Means:
    """As the poster shall look."""
    height, width = pixels.shape[:2]
    fit = (min if images.custom == "crop" else max)(width / shape[0], height / shape[1])
    wide, high = fit * shape[0], fit * shape[1]
    rows = ((height - high) / 2, (height + high) / 2)
    columns = ((width - wide) / 2, (width + wide) / 2)
    return _means(pixels, rows, columns, ImageColor.getrgb(images.background)[:3])


def _means(pixels: Pixels, rows: tuple[float, float], columns: tuple[float, float], around: tuple[int, ...]) -> Means:
    """Of equal parts of what lies between these rows and columns; outside of the picture is `around`."""
    down, across = _weights(pixels.shape[0], *rows), _weights(pixels.shape[1], *columns)
    found = np.einsum("rh,hwc,kw->rkc", down, pixels, across, optimize=True)
    covered = np.outer(down.sum(axis=1), across.sum(axis=1))[:, :, None]
    means: Means = found + (1 - covered) * np.asarray(around, np.float64)
    return means


def _weights(length: int, start: float, end: float) -> NDArray[np.float64]:
    """How much of each of `SIDE` parts lies in each of `length` pixels."""
    borders = np.linspace(start, end, SIDE + 1)[:, None]
    pixel = np.arange(length)[None, :]
    shared = np.minimum(borders[1:], pixel + 1) - np.maximum(borders[:-1], pixel)
    weights: NDArray[np.float64] = np.clip(shared, 0, None) / ((end - start) / SIDE)
    return weights


def _all_of(pixels: Pixels) -> tuple[tuple[float, float], tuple[float, float]]:
    height, width = pixels.shape[:2]
    return (0, height), (0, width)


def _open(path: Path | None) -> Pixels | None:
    if path is None:
        return None
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"), np.uint8)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
        return None  # `not_empty` says so
