"""The vocabulary of the media engine: what is known of a source, and what is planned. What is made is in `products`.

Sizes are bytes, bit rates bit/s, times seconds unless a field says otherwise.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from video_pipeline.base import Model, Rational

Family = Literal["h264", "hevc", "vp9", "av1"]
Rotation = Literal[0, 90, 180, 270]


class Blob(Model):
    """A file in the object store, named by its content."""

    sha256: str
    size: int

    @property
    def key(self) -> str:
        return f"blobs/sha256/{self.sha256[:2]}/{self.sha256}"


class SourceFile(Model):
    """The source as taken into the store."""

    blob: Blob
    name: str
    """The file's name at the producer's, for people."""
    uri: str


# --- what a source is


class VideoStream(Model):
    index: int
    codec: str
    profile: str | None = None
    width: int
    """Coded width in pixels, before sample aspect and rotation."""
    height: int
    sample_aspect: Rational
    rotation: Rotation
    """Degrees clockwise a player turns the picture."""
    pix_fmt: str
    bit_depth: int
    color_range: str | None = None
    color_primaries: str | None = None
    color_transfer: str | None = None
    color_space: str | None = None
    declared_rate: Rational
    """r_frame_rate: the lowest rate that can represent all timestamps."""
    average_rate: Rational
    time_base: Rational
    field_order: str | None = None
    bit_rate: int | None = None

    @property
    def display_size(self) -> tuple[int, int]:
        """Width and height as a player shows them: square pixels, rotation applied."""
        width, height = Fraction(self.width), Fraction(self.height)
        # Growing one side keeps every source pixel.
        if self.sample_aspect >= 1:
            width *= self.sample_aspect
        else:
            height /= self.sample_aspect
        size = (max(1, round(width)), max(1, round(height)))
        return size if self.rotation in (0, 180) else (size[1], size[0])


class AudioStream(Model):
    index: int
    codec: str
    channels: int
    layout: str | None = None
    sample_rate: int
    language: str | None = None
    title: str | None = None
    default: bool = False
    bit_rate: int | None = None


class OtherStream(Model):
    index: int
    kind: str
    """subtitle, data, attachment, or video for a cover picture."""
    codec: str | None = None
    language: str | None = None
    title: str | None = None


class FrameTiming(Model):
    """The presentation times of the video stream's packets, from one pass without decoding."""

    frames: int
    first: Rational
    """Earliest presentation time, counted from the container's own start."""
    end: Rational
    """Latest presentation time plus its duration."""
    common_step: Rational
    """The most frequent distance between neighbours."""
    short_step: Rational
    """Nine of ten distances are at least this."""
    variable: bool
    """True if any distance differs from the common one by more than 1.5 ticks of the time base and 2 %."""


class TechnicalMetadata(Model):
    container: str
    size: int
    start: Rational
    declared_duration: Rational | None = None
    bit_rate: int | None = None
    video: VideoStream
    timing: FrameTiming
    audio: tuple[AudioStream, ...] = ()
    others: tuple[OtherStream, ...] = ()
    tags: dict[str, str] = {}

    @property
    def duration(self) -> Fraction:
        """Of the video stream, as its packets tell."""
        return self.timing.end - self.timing.first


# --- what is planned


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


class VideoEncoder(Model):
    """Everything about an encoder that shapes the bits of every rung."""

    family: Family
    codec: str
    """ffmpeg's name of the encoder, e.g. libx264"""
    preset: str
    profile: str
    threads: int
    options: dict[str, str] = {}


class AudioPlan(Model):
    stream: int
    """Index of the source stream."""
    codec: Literal["aac"] = "aac"
    bit_rate: int
    channels: int = 2
    sample_rate: int = 48_000
    language: str | None = None


class ImagePlan(Model):
    candidates: int
    """Thumbnails offered beside the poster, at most."""
    poster_width: int
    """Longer sides are scaled down to this, never up."""
    tile_width: int
    """Longer side of a sprite's tile, pixels."""
    columns: int
    rows: int
    interval: Rational
    """Seconds between two tiles."""


class EncodingPlan(Model):
    """What will be made from one source, fixed before anything is encoded."""

    preset: str
    preset_digest: str
    source_sha256: str
    start: Rational
    """Time of the first output frame, counted from the container's own start; audio is cut to it."""
    rate: Rational
    """Frames per second of every rendition; constant."""
    frames: int
    gop: int
    """Frames from key frame to key frame."""
    segment: int
    """Frames per segment: a whole number of GOPs."""
    filters: tuple[str, ...] = ()
    encoders: tuple[VideoEncoder, ...]
    rungs: tuple[RungPlan, ...]
    """Largest first."""
    audio: AudioPlan | None = None
    images: ImagePlan

    @property
    def duration(self) -> Fraction:
        return self.frames / self.rate

    def family(self, family: Family) -> tuple[RungPlan, ...]:
        return tuple(rung for rung in self.rungs if rung.family == family)

    def encoder(self, family: Family) -> VideoEncoder:
        return next(encoder for encoder in self.encoders if encoder.family == family)
