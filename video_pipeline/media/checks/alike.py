"""Whether all files of a picture show the same."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from video_pipeline.media import parallel
from video_pipeline.media.checks.verdict import Problem
from video_pipeline.media.image_products import PictureFile, Thumbnails

SIDE = 16
"""Pixels of both sides that files are compared at."""
MOST_OFF = 8.0
"""Of 255, the mean over a picture."""


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
    whole = _small(pictures.get(forms[0].name))
    for form in forms[1:]:
        shown = _small(pictures.get(form.name))
        if whole is None or shown is None:
            continue
        if (off := float(np.abs(shown - whole).mean())) > MOST_OFF:
            wrong.append((form.name, f"does not show what {forms[0].name} does, but what is {off:.0f} of 255 away"))
    return wrong


def _small(path: Path | None) -> NDArray[np.int16] | None:
    """How well a file looks was measured when it was made; only another picture is to be found."""
    if path is None:
        return None
    with suppress(OSError, SyntaxError, ValueError), Image.open(path) as opened:
        return np.asarray(opened.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX), np.int16)
    return None


def _format(path: Path | None) -> str | None:
    if path is None:
        return None
    with suppress(OSError, SyntaxError, ValueError), Image.open(path) as opened:
        return str(opened.format).lower()
    return None
