"""The check that no file is empty and every picture is one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from video_pipeline.media.checks.alike import unlike
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.image_products import Sprites, Thumbnails
from video_pipeline.media.products import CheckResult, Streams


def not_empty(
    streams: Streams, thumbnails: Thumbnails, sprites: Sprites, media: Mapping[str, Path], pictures: Mapping[str, Path]
) -> CheckResult:
    """Every file has content; every picture can be opened, is as it is listed, and shows in all its files the same."""
    wrong: list[Problem] = []
    files = {**media, **pictures}
    wrong += ((name, "is missing or empty") for name, path in files.items() if not _weighs(path))
    wrong += ((path, "is empty") for path, text in streams.texts.items() if not text.strip())
    stated = {form.name: (form.width, form.height) for form in thumbnails.forms}
    for name, (width, height) in stated.items():
        size = picture_size(name, pictures, wrong)
        if size and size != (width, height):
            wrong.append((name, f"{size[0]}x{size[1]} pixels, {width}x{height} are listed"))
    wrong += unlike(thumbnails, pictures)
    count = len(files) + len(streams.texts)
    return verdict("not_empty", wrong, f"{count} files have content, {len(stated) + len(sprites.sheets)} are pictures")


def _weighs(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def picture_size(name: str, pictures: Mapping[str, Path], wrong: list[Problem]) -> tuple[int, int] | None:
    """Pixels; what cannot be opened is added to `wrong`."""
    try:
        with Image.open(pictures[name]) as picture:
            picture.load()
            width, height = picture.size
            return width, height
    except (KeyError, OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        # Pillow raises each of these for a file that is no picture, or a broken one.
        wrong.append((name, f"is no picture: {error}"))
    return None
