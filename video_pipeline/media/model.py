"""What is planned for a source. What a source is stands in `technical`, what is made of it in `products`.

Sizes are bytes, bit rates bit/s, times seconds unless a field says otherwise.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from video_pipeline.base import Model, Rational
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.targets import PlannedQuality
from video_pipeline.media.video_plan import Fallback, Family, RungPlan, VideoEncoder

Fields = Literal["progressive", "top first", "bottom first", "telecined", "telecined bottom first"]
"""How a source's pictures are made of fields: not at all, of two from different moments, or of film's by 2:3
pulldown, with the upper field first if not said otherwise."""


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


class Span(Model):
    start: float
    """Seconds, as the end."""
    end: float


class AudioPlan(Model):
    """One track of sound to be made: a stream of the source in one number of channels."""

    name: str
    """Unique in the plan and fit for a file's name, as in "audio-1" and "audio-1-surround"."""
    stream: int | None
    """Index of the source stream; None is silence."""
    codec: Literal["aac"] = "aac"
    bit_rate: int
    channels: Literal[2, 6, 8] = 2
    layout: Literal["stereo", "5.1", "7.1"] = "stereo"
    pick: str | None = None
    """A filter of the source's channels, where ffmpeg does not know their places."""
    limited: bool = False
    """Several channels are added up in each of this track, so peaks must be held down."""
    loudness: float | None = None
    """LUFS to bring it to; None leaves it as it is."""
    sample_rate: int = 48_000
    language: str | None = None
    """BCP 47"""
    label: str
    """What a player shows; unique in the plan."""
    default: bool = False
    """Players start with it; one of the plan has it."""
    end: Rational
    """When it ends, seconds from the first picture."""
    broken: int = 0
    """Complaints of the decoder about the source's stream."""
    lost: float = 0
    """Seconds of that stream which such complaints have cost."""


class Chapter(Model):
    start: float
    """Seconds, as the end."""
    end: float
    title: str | None = None


class TextPlan(Model):
    """A text track to be made. Its name is that of its file, as in "en" for subtitles/en.vtt."""

    name: str
    origin: Literal["stream", "captions", "sidecar"]
    """Of what it is made: a stream of the source, what its pictures carry, or a file that came with it."""
    stream: int | None = None
    """Index of the source's stream: of the subtitles, or of the pictures with the captions."""
    codec: str | None = None
    """ffmpeg's name for it; of a file, that of its format."""
    file: Blob | None = None
    """What came with the source."""
    field: str | None = None
    """Of the request, for errors about the file."""
    zero: Rational
    """The time in the track at which what is published begins."""
    language: str | None = None
    """BCP 47"""
    label: str
    """For people; no two tracks have the same."""
    default: bool = False
    """Shown unless the viewer turns it off; one track at most."""
    forced: bool = False
    """Only what a viewer who understands the sound needs too: foreign dialogue, signs."""
    sdh: bool = False
    """For the deaf and hard of hearing: with sounds and speakers."""

    @property
    def kind(self) -> str:
        return "forced subtitles" if self.forced else "captions" if self.sdh else "subtitles"

    @property
    def of(self) -> str:
        """Where it comes from, for people."""
        if self.origin == "stream":
            return f"stream {self.stream}"
        return "closed captions" if self.origin == "captions" else self.field or ""


class LeftOut(Model):
    """A track of text or sound that is not made, and why."""

    name: str
    why: str


class ProtectionPlan(Model):
    """How pictures and sound are encrypted; the key is given where it is used and never kept."""

    scheme: Literal["aes-128", "cenc", "cbcs"]
    key_uri: str
    """Where players get the key's bytes, with {video_id} and {key_id} still to be filled in."""
    license_uri: str | None = None
    """Where they get ClearKey's licence, likewise."""

    @property
    def whole(self) -> bool:
        """Segments are encrypted as wholes: of that only HLS knows, and no key frame can be read alone."""
        return self.scheme == "aes-128"


class EncodingPlan(Model):
    """What will be made from one source, fixed before anything is encoded."""

    preset: str
    preset_digest: str
    source_sha256: str
    stream: int
    """Index of the source's video stream."""
    decoder: str | None = None
    """ffmpeg's name of the decoder to ask for; None is ffmpeg's own choice."""
    start: Rational
    """Time of the first output frame, counted from the container's own start; audio is cut to it."""
    skip: int = 0
    """Frames of the source's grid before that one, which a trim leaves out."""
    lead: int = 0
    """Frames of that grid before the source's first picture, which show it: there is sound already."""
    seekable: bool = False
    """Reading the source from the middle should give the same pictures at the same times; its frame map tells."""
    rate: Rational
    """Frames per second of every rendition; constant."""
    frames: int
    gop: int
    """Frames from key frame to key frame."""
    segment: int
    """Frames per segment: a whole number of GOPs."""
    before: tuple[str, ...] = ()
    """Filters that make whole frames of the decoder's pictures, before these are put on the grid; as ffmpeg writes
    them."""
    stretch: Rational = Fraction(1)
    """How many times as long as the source's the pictures are shown; times of this plan are on the stretched clock."""
    mixing: Rational = Fraction(0)
    """How far `before` may move a picture in time, s."""
    filters: tuple[str, ...] = ()
    """Filters of each frame of the grid: upright, in the colours of a standard display."""
    deep_filters: tuple[str, ...] = ()
    """Likewise for encoders of 10 bits: in 10 bits, and in HDR where that is kept."""
    encoders: tuple[VideoEncoder, ...]
    """One for each family there is, in the order of `FAMILIES`."""
    fallbacks: tuple[Fallback, ...] = ()
    """Where it is not the one that the preset asks for."""
    rungs: tuple[RungPlan, ...]
    """By family in that order, each largest first."""
    rungs_left_out: tuple[LeftOut, ...] = ()
    """Those that no encoder would make."""
    audio: tuple[AudioPlan, ...] = ()
    """The one that players start with first."""
    audio_left_out: tuple[LeftOut, ...] = ()
    clock: tuple[int, ...] = ()
    """Streams that every run over the source must read, see `ffmpeg.aside`."""
    text: tuple[TextPlan, ...] = ()
    text_left_out: tuple[LeftOut, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    """On the clock of what is published."""
    images: ImagePlan
    max_damage: float = 1.0
    """Share of the source's pictures that may be lost or broken, 0 to 1."""
    download: str | None = None
    """The rung of the MP4 for download; None if there shall be none."""
    protection: ProtectionPlan | None = None
    quality: PlannedQuality | None = None
    """What is expected of the rungs, if the preset asks for some quality."""

    @property
    def whole(self) -> bool:
        """See `ProtectionPlan.whole`: there is no DASH, and there are no I-frame playlists."""
        return self.protection is not None and self.protection.whole

    @property
    def duration(self) -> Fraction:
        return self.frames / self.rate

    def end(self, name: str) -> Fraction:
        """When the track of this name ends, seconds from the first picture."""
        return next((sound.end for sound in self.audio if sound.name == name), self.duration)

    def family(self, family: Family) -> tuple[RungPlan, ...]:
        return tuple(rung for rung in self.rungs if rung.family == family)

    def encoder(self, family: Family) -> VideoEncoder:
        return next(encoder for encoder in self.encoders if encoder.family == family)

    def filters_of(self, family: Family) -> tuple[str, ...]:
        """`filters` or `deep_filters`."""
        return self.deep_filters if self.encoder(family).bit_depth == 10 else self.filters

    @property
    def plain(self) -> Family:
        """The family of which pictures, analysis and download are made: the first in SDR."""
        return next(encoder.family for encoder in self.encoders if encoder.video_range == "SDR")
