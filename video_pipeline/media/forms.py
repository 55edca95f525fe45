"""The files of one picture: in every width and format that is planned, each as small as it may be.

An encoder's quality means something else for every picture: SSIM 0.98 may take a JPEG 24 or 88. So each file
gets the lowest one at which it still looks as much like the picture as the preset asks for.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import mozjpeg_lossless_optimization as mozjpeg
import numpy as np
from PIL import Image

from video_pipeline.media import parallel
from video_pipeline.media.files import blob_of
from video_pipeline.media.image_plan import ImagePlan, PictureFormat
from video_pipeline.media.image_products import PictureFile
from video_pipeline.media.placeholder import thumbhash
from video_pipeline.media.ssim import Plane, Reference, luma

CLOSE = 0.06
"""Share of what an SSIM may miss of 1 that is good enough to end the search: a step or two of quality."""
EASY = 0.75
"""Share of it that the worst JPEG misses of a picture which every encoder can make with its lowest quality."""
MAX_TRIES = 8
SUFFIXES: dict[PictureFormat, str] = {"jpeg": "jpg", "webp": "webp", "avif": "avif"}


@dataclass(frozen=True)
class _Encoder:
    encode: Callable[[Image.Image, int], bytes]
    lowest: int
    """Below it, soft and dark pictures show blocks and false colours, which the SSIM of the luma hardly counts."""
    highest: int
    """Above it, files grow and look the same."""
    like_jpeg: tuple[int, ...]
    """The quality that looks about like a JPEG's of `_JPEG`, at SSIM 0.98 of 25 frames of natural clips."""


def save(
    picture: Image.Image, stem: str, images: ImagePlan, out_dir: Path, stopped: Event | None = None
) -> tuple[PictureFile, ...]:
    """Writes `<stem>.jpg`, the picture in full width, then `<stem>-640.jpg`, `<stem>.webp` and so on into `out_dir`;
    only widths in which it is smaller. The same picture gives the same bytes.

    Args:
        picture: RGB, in full width.
        stopped: to be looked at between two files.

    Raises:
        CancelledError: it is set.
    """
    smaller = [width for width in sorted(set(images.widths), reverse=True) if width < max(picture.size)]
    formats: list[PictureFormat] = [format for format in SUFFIXES if format == "jpeg" or format in images.formats]
    made: dict[PictureFormat, list[PictureFile]] = {format: [] for format in formats}
    jpeg, easy = 75, False
    for width in (None, *smaller):
        shown = picture if width is None else picture.resize(_scaled(picture, width), Image.Resampling.LANCZOS)
        reference = Reference(luma(shown))
        for format in formats:
            if stopped and stopped.is_set():
                raise CancelledError
            encoder = ENCODERS[format]
            guess = encoder.lowest if easy else round(float(np.interp(jpeg, _JPEG, encoder.like_jpeg)))
            data, quality, ssim = _smallest(encoder, shown, reference, images.ssim, guess)
            if format == "jpeg":
                jpeg, easy = quality, quality == encoder.lowest and 1 - ssim < EASY * (1 - images.ssim)
            path = out_dir / f"{stem}{'' if width is None else f'-{width}'}.{SUFFIXES[format]}"
            # Progressive, with the tables and scans that take fewest bytes: the pixels stay.
            path.write_bytes(mozjpeg.optimize(data) if format == "jpeg" else data)
            made[format].append(
                PictureFile(
                    name=path.name,
                    format=format,
                    width=shown.width,
                    height=shown.height,
                    quality=quality,
                    ssim=round(ssim, 6),
                    file=blob_of(path),
                )
            )
    return tuple(file for format in formats for file in made[format])


def save_all(
    pictures: Iterable[tuple[str, Image.Image]], images: ImagePlan, out_dir: Path
) -> dict[str, tuple[tuple[PictureFile, ...], str]]:
    """`save` for each stem and picture, several side by side: stem to the files and the ThumbHash."""
    at_once = parallel.readers()
    stopped = Event()
    futures: dict[str, Future[tuple[tuple[PictureFile, ...], str]]] = {}
    # Encoders and OpenCV let other threads run.
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for stem, picture in pictures:
                if len(futures) >= 2 * at_once:
                    list(futures.values())[-2 * at_once].result()  # pictures that wait take memory
                futures[stem] = pool.submit(_saved, picture, stem, images, out_dir, stopped)
            return {stem: future.result() for stem, future in futures.items()}
        except BaseException:
            stopped.set()  # nobody waits for the rest any more
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _saved(
    picture: Image.Image, stem: str, images: ImagePlan, out_dir: Path, stopped: Event
) -> tuple[tuple[PictureFile, ...], str]:
    return save(picture, stem, images, out_dir, stopped), thumbhash(picture)


def _scaled(picture: Image.Image, longest: int) -> tuple[int, int]:
    factor = longest / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    return width, height


def _smallest(
    encoder: _Encoder, picture: Image.Image, reference: Reference, floor: float, guess: int
) -> tuple[bytes, int, float]:
    """The file, its quality and its SSIM: the lowest quality that reaches the floor, or one close to it.

    By secants: what SSIM misses of 1 is about a power of what the quality misses of 101.
    """
    due = math.log((1 - floor) * (1 - CLOSE / 2))
    bad, good = encoder.lowest - 1, encoder.highest + 1
    best: tuple[bytes, int, float] | None = None
    before: tuple[float, float] | None = None
    power = 0.9
    quality = min(encoder.highest, max(encoder.lowest, guess))
    for tried in range(MAX_TRIES):
        data = encoder.encode(picture, quality)
        ssim = reference.ssim(_decoded(data))
        if ssim >= floor or quality == encoder.highest:
            best, good = (data, quality, ssim), quality
        else:
            bad = quality
        if good - bad <= 1 or (ssim >= floor and 1 - ssim >= (1 - floor) * (1 - CLOSE)):
            break
        x, y = math.log(101 - quality), math.log(max(1e-6, 1 - ssim))
        if before:
            power = min(3.0, max(0.3, (y - before[1]) / (x - before[0])))
        before = (x, y)
        middle = (bad + good) // 2
        there = int(101.5 - math.exp(x + (due - y) / power)) if tried < 4 else middle
        quality = min(good - 1, max(bad + 1, there))
    if best is None:  # MAX_TRIES were not enough
        data = encoder.encode(picture, encoder.highest)
        best = (data, encoder.highest, reference.ssim(_decoded(data)))
    return best


def _decoded(data: bytes) -> Plane:
    with Image.open(io.BytesIO(data)) as opened:
        opened.draft("L", opened.size)  # of a JPEG, only the luma
        return luma(opened)


def _encoded(picture: Image.Image, format: str, quality: int, **options: int | bool | str) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, quality=quality, **options)
    return out.getvalue()


_JPEG = (60, 75, 88, 95)
ENCODERS: dict[PictureFormat, _Encoder] = {
    "jpeg": _Encoder(lambda p, q: _encoded(p, "JPEG", q), 60, 95, _JPEG),
    "webp": _Encoder(lambda p, q: _encoded(p, "WEBP", q, method=4), 60, 95, (78, 82, 85, 92)),
    # More threads could cut the picture up differently. Speed 6 takes 2.6 times as long for 4 % fewer bytes.
    "avif": _Encoder(lambda p, q: _encoded(p, "AVIF", q, speed=8, max_threads=1), 45, 90, (50, 64, 72, 80)),
}
