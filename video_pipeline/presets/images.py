"""What a preset says of pictures."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, field_validator

from video_pipeline.base import Rational
from video_pipeline.presets.families import Even, Table


class PreviewClip(Table):
    """A short silent clip of the best scenes, as MP4 and animated WebP."""

    seconds: float = Field(default=4, ge=3, le=6)
    """It lasts so long."""
    width: Annotated[int, Field(multiple_of=2, ge=128, le=1280)] = 480
    """Longer side, pixels; smaller pictures are not enlarged."""


class Images(Table):
    candidates: int = Field(ge=1, le=40)
    """Thumbnails offered beside the poster, at most."""
    poster_width: Even
    """Longer side of the poster and the thumbnails, pixels; smaller pictures are not enlarged."""
    widths: tuple[Annotated[int, Field(multiple_of=2, ge=32, le=7680)], ...] = Field(default=(), max_length=8)
    """Longer sides of smaller forms of each picture, pixels, for `srcset`."""
    formats: tuple[Literal["jpeg", "webp", "avif"], ...] = Field(default=("jpeg",), min_length=1)
    """Of which each picture has a file in each width; JPEG, which everything shows, is always one of them."""
    ssim: float = Field(default=0.95, ge=0.8, le=0.995)
    """Each file looks at least as much like the frame it shows: SSIM of the luma. Its quality follows from that."""
    custom: Literal["crop", "fit"] = "crop"
    """How a `thumbnail` of the job takes the video's shape: its edges are cut off, or bars are added (`alpha_over`)."""
    preview: PreviewClip | None = None
    """A short silent clip of the best scenes; without it there is none."""
    tile_width: Annotated[int, Field(multiple_of=2, ge=32, le=640)]
    """Longer side of a sprite's tile, pixels."""
    columns: int = Field(ge=1, le=20)
    """Tiles beside each other on a sprite sheet."""
    rows: int = Field(ge=1, le=20)
    """Tiles below each other on a sprite sheet."""
    interval: Rational
    """Seconds between two sprite tiles; longer for videos that would need more than `max_sheets`."""
    max_sheets: int = Field(default=12, ge=1, le=1000)
    """Sprite sheets, at most."""
    max_sheet_kilobytes: int = Field(default=6000, ge=50, le=1_000_000)
    """Of all sheets together, at most; their quality is lowered to fit."""

    @field_validator("interval")
    @classmethod
    def _positive(cls, value: Fraction) -> Fraction:
        if not Fraction(1, 10) <= value <= 3600:
            raise ValueError("must be between 0.1 and 3600 seconds")
        return value

    @field_validator("preview", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return None if value == "none" else value
