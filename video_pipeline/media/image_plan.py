"""What pictures are planned for a video: poster, thumbnails, sprite sheets and the preview clip."""

from __future__ import annotations

from typing import Literal

from video_pipeline.base import Model, Rational

PictureFormat = Literal["jpeg", "webp", "avif"]
Fit = Literal["crop", "fit"]


class PreviewPlan(Model):
    seconds: float
    """It lasts so long, or as long as a shorter video."""
    width: int
    """Longer side, pixels."""


class ImagePlan(Model):
    candidates: int
    """Thumbnails offered beside the poster, at most."""
    poster_width: int
    """Longer sides are scaled down to this, never up."""
    widths: tuple[int, ...] = ()
    """Longer sides of the smaller forms of each picture, pixels."""
    formats: tuple[PictureFormat, ...] = ("jpeg",)
    """Of which each picture has a file in each width; JPEG is always one of them."""
    ssim: float = 0.95
    """Each file looks at least as much like the picture it is made of, 0 to 1."""
    custom: Fit = "crop"
    """How a thumbnail that somebody brought takes the video's shape: its edges are cut off, or bars are added."""
    background: str = "black"
    """Of such bars, and behind transparent pictures: a colour's name or #rrggbb."""
    preview: PreviewPlan | None = None
    tile_width: int
    """Longer side of a sprite's tile, pixels."""
    columns: int
    rows: int
    interval: Rational
    """Seconds between two tiles."""
    max_sheets: int = 100
    """Sprite sheets, at most."""
    max_sheet_bytes: int = 100_000_000
    """Of all sheets together, at most."""
    at: tuple[int, ...] = ()
    """Frames of which thumbnails were asked for."""
    poster: int | None = None
    """The frame the poster was asked to show; None to choose one."""
