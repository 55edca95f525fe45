"""Whether all files of a picture show the same."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from PIL import Image

from video_pipeline.media import parallel
from video_pipeline.media.checks.verdict import Problem
from video_pipeline.media.image_products import PictureFile, Thumbnails
from video_pipeline.media.ssim import Plane, Reference, luma

SIDE = 320
"""Longer side that files are compared at, pixels."""
SLACK = 0.01
"""Of SSIM, for what scaling changes."""


def unlike(thumbnails: Thumbnails, pictures: Mapping[str, Path]) -> list[Problem]:
    """Files in another format than listed, and those that show something else than the JPEG in full width. What is no
    picture at all is a matter of others."""
    groups = [*([thumbnails.custom.forms] if thumbnails.custom else []), *(one.forms for one in thumbnails.all)]
    # Decoders and OpenCV let other threads run.
    with ThreadPoolExecutor(parallel.readers()) as pool:
        return [problem for found in pool.map(lambda forms: _unlike(forms, pictures), groups) for problem in found]


def _unlike(forms: tuple[PictureFile, ...], pictures: Mapping[str, Path]) -> list[Problem]:
    wrong = [
        (form.name, f"is {found.upper()}, {form.format.upper()} is listed")
        for form in forms
        if (found := _format(pictures.get(form.name))) and found != form.format
    ]
    if len(forms) < 2:
        return wrong
    references: dict[tuple[int, int], Reference | None] = {}
    for form in forms[1:]:
        size = _size(form)
        if size not in references:
            whole = _luma(pictures.get(forms[0].name), size)
            references[size] = Reference(whole) if whole is not None else None
        reference = references[size]
        plane = _luma(pictures.get(form.name), size)
        if reference is None or plane is None:
            continue
        # The root of what SSIM misses of 1 is near a metric (https://doi.org/10.1109/TIP.2011.2173206): two that are
        # as near to a third differ by four times that at most.
        least = 1 - SLACK - 4 * (1 - min(form.ssim, forms[0].ssim))
        if (seen := reference.ssim(plane)) < least:
            wrong.append((form.name, f"looks like {forms[0].name} by SSIM {seen:.3f}, at least {least:.3f} is due"))
    return wrong


def _size(form: PictureFile) -> tuple[int, int]:
    factor = min(1.0, SIDE / max(form.width, form.height))
    width, height = (max(1, round(side * factor)) for side in (form.width, form.height))
    return width, height


def _luma(path: Path | None, size: tuple[int, int]) -> Plane | None:
    if path is None:
        return None
    with suppress(OSError, SyntaxError, ValueError), Image.open(path) as opened:
        opened.draft("L", size)  # a JPEG gives its luma, and a smaller picture, in less time
        return luma(opened.convert("L").resize(size, Image.Resampling.BOX))
    return None


def _format(path: Path | None) -> str | None:
    if path is None:
        return None
    with suppress(OSError, SyntaxError, ValueError), Image.open(path) as opened:
        return str(opened.format).lower()
    return None
