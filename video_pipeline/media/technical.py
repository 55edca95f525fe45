"""What a source is: its container, streams, colours and shape, and the clock of its pictures.

Sizes are bytes, bit rates bit/s, times seconds unless a field says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

from video_pipeline.base import Model, Rational
from video_pipeline.media.model import Chapter, Fields, Span
from video_pipeline.media.video_plan import Light

Rotation = Literal[0, 90, 180, 270]
Transfer = Literal["sdr", "pq", "hlg"]


OWN_CLOCK = frozenset("mov,mp4,m4a,3gp,3g2,mj2 matroska,webm".split())
"""Containers whose time stamps ffmpeg takes as they are, whichever streams it reads."""


def streams_of_clock(container: str, video: int, audio: Iterable[int]) -> tuple[int, ...]:
    """Streams that every run over a file of this container must read, see `ffmpeg.aside`."""
    return () if container in OWN_CLOCK else tuple(sorted({video, *audio}))


class VideoStream(Model):
    index: int
    codec: str
    profile: str | None = None
    width: int
    """Of the decoded picture in pixels, cropped as the file says, before sample aspect and rotation."""
    height: int
    sample_aspect: Rational
    mirrored: bool = False
    """A player first mirrors the picture, left to right, and then turns it."""
    rotation: Rotation
    """Degrees clockwise a player turns the picture."""
    pix_fmt: str
    bit_depth: int
    color_range: str | None = None
    color_primaries: str | None = None
    color_transfer: str | None = None
    color_space: str | None = None
    chroma_location: str | None = None
    captions: bool = False
    """The pictures carry closed captions (CTA-608 or -708)."""
    dolby_vision: int | None = None
    """Its profile, if the stream has Dolby Vision."""
    dolby_vision_base: bool = True
    """The pictures are some standard's without Dolby Vision's data, too."""
    peak_luminance: float | None = None
    """Of the brightest pixel, else of the display it was graded on, as an HDR stream says, cd/m²."""
    light: Light | None = None
    """What the stream tells an HDR10 display."""
    decoder: str | None = None
    """ffmpeg's name of the one that must be asked for by name; None is ffmpeg's own choice."""
    declared_rate: Rational
    """r_frame_rate: the lowest rate that can represent all timestamps."""
    average_rate: Rational
    time_base: Rational
    field_order: str | None = None
    """As the header says; `fields` was measured."""
    fields: Fields = "progressive"
    bit_rate: int | None = None
    closed_gop: int | None = None
    """Pictures from key frame to key frame, if that is always the same and none refers to one before its key frame."""
    largest_gop: int | None = None
    """Of those, bytes."""

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

    @property
    def transfer(self) -> Transfer:
        """How light is coded: for a standard display, or as one of the two ways of HDR (ITU-R BT.2100)."""
        known: dict[str, Transfer] = {"smpte2084": "pq", "arib-std-b67": "hlg"}
        return known.get(self.color_transfer or "", "sdr")


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
    first: Rational | None = None
    """When its first sample is heard, on the clock of `FrameTiming.first`; None if nothing of it can be decoded."""
    end: Rational | None = None
    """When its last sample has been heard."""
    heard: Rational = Fraction(0)
    """Seconds of sound that come out of the decoder; less than from first to end if there are gaps."""
    broken: int = 0
    """Complaints of the decoder."""


class OtherStream(Model):
    index: int
    kind: str
    """subtitle, data, attachment, or video for a cover picture."""
    codec: str | None = None
    language: str | None = None
    title: str | None = None
    default: bool = False
    forced: bool = False
    """Of subtitles: only what a viewer who understands the sound needs too."""
    hearing_impaired: bool = False
    """Of subtitles: for the deaf and hard of hearing."""


class FrameTiming(Model):
    """The presentation times of the video stream's pictures."""

    frames: int
    first: Rational
    """Earliest presentation time, counted from the container's own start."""
    end: Rational
    """Latest presentation time plus its duration."""
    common_step: Rational
    """The most frequent distance between neighbours, its roundings averaged."""
    short_step: Rational
    """Nine of ten distances are at least this; likewise."""
    longest_step: Rational
    """The largest distance."""
    last_step: Rational
    """How long the latest picture is shown."""
    variable: bool
    """True if any distance differs from the common one by more than 1.5 ticks of the time base and 2 %."""
    decoded: bool = False
    """The pictures themselves were decoded and counted; else the packets were, which is the same in a sound file of a
    well-behaved container."""


class Damage(Model):
    """What is wrong with a source's pictures, as far as a decoder and the file's own index tell."""

    pictures: int
    """That are there."""
    broken: int
    """Of which parts had to be guessed."""
    lost: int = 0
    """That could not be decoded and left a gap."""
    missing: int = 0
    """That the file should have after its end: it was cut off."""
    places: tuple[Span, ...] = ()
    """Where they are broken or lost, s; the first ones."""

    @property
    def share(self) -> float:
        """Of the pictures up to the file's end, those that are broken or lost, 0 to 1."""
        return min(1.0, (self.broken + self.lost) / max(1, self.pictures + self.lost))


class TechnicalMetadata(Model):
    container: str
    size: int
    start: Rational
    declared_duration: Rational | None = None
    bit_rate: int | None = None
    video: VideoStream
    timing: FrameTiming
    damage: Damage | None = None
    """None if the pictures were not decoded to find their clock, and the file has its end."""
    audio: tuple[AudioStream, ...] = ()
    others: tuple[OtherStream, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    """On the container's own clock."""
    tags: dict[str, str] = {}

    @property
    def clock(self) -> tuple[int, ...]:
        """Streams that every run over the source must read, see `ffmpeg.aside`."""
        return streams_of_clock(self.container, self.video.index, (stream.index for stream in self.audio))

    @property
    def duration(self) -> Fraction:
        """Of the video stream."""
        return self.timing.end - self.timing.first
