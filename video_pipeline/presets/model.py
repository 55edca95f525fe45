"""The typed model of a preset; what it does not accept is refused by key and reason."""

from __future__ import annotations

import hashlib
import itertools
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, field_validator

from video_pipeline.base import Model, Rational

PLANNED_OPTIONS = frozenset("g keyint_min sc_threshold crf maxrate bufsize preset profile threads x264-params".split())
Even = Annotated[int, Field(multiple_of=2, ge=16, le=4320)]


class RungTable(Model):
    height: Even
    """Shorter side in pixels: a portrait "1080p" is 1080 wide."""
    crf: float = Field(ge=0, le=51)
    """Constant rate factor; 0 is lossless, 51 the worst."""
    maxrate: int = Field(ge=50, le=200_000)
    """kbit/s at up to 30 frames/s."""


class H264(Model):
    """libx264."""

    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]
    profile: Literal["baseline", "main", "high"] = "high"
    threads: int = Field(ge=1, le=64)
    """Shapes the bits, so it is fixed here and not taken from the host."""
    options: dict[str, str] = Field(default_factory=dict)
    """More libx264 options by ffmpeg's names, e.g. {tune: film}."""
    rungs: tuple[RungTable, ...] = Field(min_length=1)

    @field_validator("rungs")
    @classmethod
    def _ladder(cls, rungs: tuple[RungTable, ...]) -> tuple[RungTable, ...]:
        rungs = tuple(sorted(rungs, key=lambda rung: -rung.height))
        for upper, lower in itertools.pairwise(rungs):
            if upper.height == lower.height:
                raise ValueError(f"two rungs have height {upper.height}")
            if upper.maxrate <= lower.maxrate:
                raise ValueError(f"rung {upper.height} needs a larger maxrate than rung {lower.height}")
        return rungs

    @field_validator("options")
    @classmethod
    def _free_options(cls, options: dict[str, str]) -> dict[str, str]:
        for name in options:
            if not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"{name!r} is not an option's name")
            if name in PLANNED_OPTIONS:
                raise ValueError(f"{name!r} is set by the plan")
        return options


class Audio(Model):
    bit_rate: int = Field(ge=32, le=512)
    """kbit/s of AAC stereo; surround has as much for each of its channels."""
    silence: bool = False
    """A video without sound gets a silent track."""
    loudness: float | None = Field(default=None, ge=-40, le=-8)
    """LUFS that every track is brought to, e.g. -16; without it levels stay as they are."""


class Images(Model):
    candidates: int = Field(ge=1, le=40)
    poster_width: Even
    tile_width: Annotated[int, Field(multiple_of=2, ge=32, le=640)]
    columns: int = Field(ge=1, le=20)
    rows: int = Field(ge=1, le=20)
    interval: Rational
    """Seconds between two sprite tiles."""

    @field_validator("interval")
    @classmethod
    def _positive(cls, value: Fraction) -> Fraction:
        if not Fraction(1, 10) <= value <= 3600:
            raise ValueError("must be between 0.1 and 3600 seconds")
        return value


class Preset(Model):
    name: str
    description: str
    max_height: Even
    """No rung has a longer shorter side."""
    max_rate: int = Field(ge=1, le=120)
    """Frames per second; faster sources are thinned out."""
    deinterlace: Literal["field", "frame"] = "field"
    """Of each interlaced picture two frames are made, as smooth as on television, or one."""
    telecine: Literal["remove", "keep"] = "remove"
    """Film sent in fields (2:3 pulldown) gets its 24 frames per second back, or is deinterlaced like the rest."""
    slow_motion: Literal["ignore", "honour"] = "ignore"
    """A phone's recording at 120 or 240 pictures per second, tagged as such, plays in real time, or slowed down to 30
    per second and without its sound."""
    alpha_over: str = Field(default="black", pattern="^([a-z]+|#[0-9a-fA-F]{6})$")
    """What shows through transparent pictures: a colour's name or #rrggbb."""
    max_damage: float = Field(default=0.75, ge=0, le=1)
    """Share of the pictures that may be lost or broken; a source with more is refused."""
    download: Even | None = None
    """Shorter side of a plain MP4 with picture and sound for people to keep: the largest rung that is not above it."""
    h264: H264
    audio: Audio
    images: Images

    @field_validator("download", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return None if value == "none" else value

    @property
    def digest(self) -> str:
        """Over everything that shapes what is made; name and description do not."""
        text = self.model_dump_json(exclude={"name", "description"})
        return hashlib.sha256(text.encode()).hexdigest()[:16]
