"""What is planned for the pictures: the rungs, and the encoder of each family.

Sizes are pixels, bit rates bit/s.
"""

from __future__ import annotations

from typing import Literal

from video_pipeline.base import Model, Rational
from video_pipeline.presets.families import FAMILIES as FAMILIES
from video_pipeline.presets.families import Family as Family

VideoRange = Literal["SDR", "PQ", "HLG"]
"""How light is coded, by the names of HLS (RFC 8216bis, 4.4.6.2)."""
Point = tuple[Rational, Rational]


class RungPlan(Model):
    """One rendition to be made. Its name is family and shorter side, as in "h264-720p"."""

    name: str
    family: Family
    width: int
    height: int
    crf: float
    maxrate: int
    """Ceiling of the bit rate over `bufsize`, bit/s."""
    bufsize: int
    """bit"""
    copied: bool = False
    """It takes over the source's packets, which are already what it should be."""


class Light(Model):
    """What HDR10 tells a display of the pictures (SMPTE ST 2086, CTA-861.3)."""

    red: Point | None = None
    """Of the display it was graded on, CIE 1931 x and y, as the others; all four are there or none."""
    green: Point | None = None
    blue: Point | None = None
    white: Point | None = None
    darkest: Rational | None = None
    """Of that display, cd/m², as `brightest`; both are there or none."""
    brightest: Rational | None = None
    max_cll: int | None = None
    """Of the brightest pixel of all, cd/m²."""
    max_fall: int | None = None
    """Of the brightest picture as a whole, cd/m²."""


class VideoEncoder(Model):
    """Everything about an encoder that shapes the bits of every rung."""

    family: Family
    codec: str
    """ffmpeg's name of the encoder, e.g. libx264"""
    preset: str
    """As the encoder spells its speed."""
    profile: str
    threads: int
    options: dict[str, str] = {}
    """By ffmpeg's names."""
    params: dict[str, str] = {}
    """By the encoder's own."""
    bit_depth: Literal[8, 10] = 8
    video_range: VideoRange = "SDR"
    light: Light | None = None
    """To be written into an HDR10 stream."""

    @property
    def on_hardware(self) -> bool:
        return self.codec.endswith(("_nvenc", "_vaapi"))

    @property
    def pix_fmt(self) -> str:
        return "yuv420p10le" if self.bit_depth == 10 else "yuv420p"


class Fallback(Model):
    """An encoder of hardware that the preset asks for, and what is taken in its place."""

    family: Family
    asked: str
    used: str
    why: str

    @property
    def sentence(self) -> str:
        return f"{self.asked} cannot be used here ({self.why}): {self.family} is encoded by {self.used} instead"
