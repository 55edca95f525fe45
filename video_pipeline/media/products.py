"""What the media engine makes of a source and finds in it. Units as in `model`."""

from __future__ import annotations

from typing import Any, Literal

from video_pipeline.base import Model, Rational
from video_pipeline.media.model import Blob, LeftOut, Span, TextPlan

CHAPTERS = "chapters.vtt"
SUGGESTED = "analysis/chapters-suggested.vtt"
"""Chapters made from the scenes, for an editor to name; no player is led to them."""


class Track(Model):
    """One encoded elementary stream in its own MP4, as the encoder wrote it."""

    name: str
    """As in the plan: "h264-720p", "audio-1"."""
    file: Blob
    bit_rate: int
    """Average, bit/s."""
    peak_bit_rate: int
    """Of the busiest segment-long window on the grid, bit/s."""


class FrameMap(Model):
    """Which pictures of the source the frames of the renditions show."""

    frames: int
    pictures: int
    """Different ones that are shown."""
    repeated: int
    """Frames that show the picture of the one before: what makes a constant rate of a variable one."""
    skipped: int
    """Decoded pictures that are not shown: the source has more than the plan's rate."""
    lost: int
    """Pictures the source has and the decoder did not give."""
    broken: int
    """Pictures of which the decoder had to guess parts."""
    places: tuple[Span, ...] = ()
    """Where pictures are lost or broken, s."""
    missing: int = 0
    """Pictures that the file promises behind the point where it was cut off."""
    worst_offset: float
    """The largest distance of a frame's time from that of the picture it begins to show, s; 0 if the decoder does not
    tell."""

    @property
    def damage(self) -> float:
        """Share of the pictures that are lost or broken, 0 to 1."""
        whole = self.pictures + self.skipped + self.lost
        return min(1.0, (self.lost + self.broken) / max(1, whole))


class ChunkMap(Model):
    """What one chunk shows of a source that was read from its middle."""

    shown: FrameMap
    decoded: int
    """Pictures from the first that is shown to the last; of a source's first chunk, from the source's first."""
    first: Rational | None
    """When the first one was shown in the source, s; None if the decoder does not tell."""
    last: Rational | None


class Chunk(Model):
    """A piece of one rung, encoded by itself."""

    file: Blob
    map: ChunkMap | None = None
    """None if the source was read in one pass, which has a map of its own."""


class StreamFile(Model):
    """A packaged track: one CMAF file that HLS and DASH both read by byte ranges."""

    name: str
    file: Blob


class Streams(Model):
    """Both manifests and the files they name, as the packager made and `manifests` completed them."""

    media: tuple[StreamFile, ...]
    texts: dict[str, str]
    """Path inside the release (e.g. "hls/master.m3u8") to content; media are named ../../../media/<sha256>.mp4."""


class Download(Model):
    """One progressive MP4 with picture and sound."""

    file: Blob | None = None
    """None if the plan has none."""


class TextTrack(Model):
    """A planned text track that was made."""

    plan: TextPlan
    cues: int
    vtt: str
    """The WebVTT text."""

    @property
    def path(self) -> str:
        """Inside the release."""
        return f"subtitles/{self.plan.name}.vtt"


class Texts(Model):
    """The text tracks of a release."""

    tracks: tuple[TextTrack, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    """What the source has and is not published, with the reason."""
    chapters: str | None = None
    """WebVTT, a cue for each chapter; None without chapters."""

    def described(self) -> dict[str, Any]:
        """What there is, without the texts themselves: for a JSON document."""
        return {
            "tracks": [
                {"file": track.path, "cues": track.cues, **track.plan.model_dump(mode="json", exclude={"file"})}
                for track in self.tracks
            ],
            "left_out": [track.model_dump() for track in self.left_out],
            "chapters": CHAPTERS if self.chapters else None,
        }

    def files(self) -> dict[str, str]:
        """Path inside the release to content."""
        chapters = {CHAPTERS: self.chapters} if self.chapters else {}
        return {track.path: track.vtt for track in self.tracks} | chapters


class Scene(Model):
    index: int
    start: int
    """First frame, on the plan's grid."""
    end: int
    """First frame of the next scene."""
    transition: Literal["start", "cut", "fade", "dissolve"] = "cut"
    """How it begins; "start" is that of the video."""
    transition_frames: int = 0
    """How long that takes, around its first frame; 0 of a cut."""
    complexity: float | None = None
    """How hard it is to encode, against the whole video: 1 is as hard."""


class LoudnessCurve(Model):
    """Loudness over time; LUFS, None below -70 and before the first window is full.

    Point n is the largest of what was measured from n to n + 1 times `seconds_per_point`: of windows that end there.
    """

    seconds_per_point: float
    momentary: tuple[float | None, ...]
    """Over windows of 0.4 s."""
    short_term: tuple[float | None, ...]
    """Over windows of 3 s."""


class Loudness(Model):
    """EBU R128 (https://tech.ebu.ch/docs/r/r128.pdf); None where the programme is silent."""

    integrated: float | None
    """LUFS"""
    range: float | None
    """LU"""
    true_peak: float | None
    """dBTP"""
    momentary_max: float | None = None
    """LUFS, over 0.4 s; None of less."""
    short_term_max: float | None = None
    """LUFS, over 3 s; None of less."""
    curve: LoudnessCurve | None = None


class ContentAnalysis(Model):
    scenes: tuple[Scene, ...]
    loudness: Loudness | None = None
    """None without audio."""
    waveform: Blob | None = None
    """JSON of `waveform.Waveform`; None without audio."""
    silences: tuple[Span, ...] = ()
    """Seconds."""
    black: tuple[Span, ...] = ()
    """Seconds."""


class CheckResult(Model):
    name: str
    passed: bool
    warning: bool = False
    """A failure that people should know of and that does not hold the release back."""
    subject: str = ""
    """The file or track a failure is about."""
    measured: str
    """What was found, in words with numbers and units."""


class QualityReport(Model):
    passed: bool
    checks: tuple[CheckResult, ...]
    subject_digest: str
    """Over everything the checks looked at: `release` refuses a report made for something else."""
