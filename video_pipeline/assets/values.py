"""What assets hand on to each other besides the models of `media`."""

from __future__ import annotations

from video_pipeline.base import Model
from video_pipeline.media.model import SourceFile
from video_pipeline.media.products import FrameMap, Track
from video_pipeline.media.video_plan import Family


class AcceptedSource(Model):
    """The source in the store, what came with it, and the version of the request that asked for both."""

    request: int
    file: SourceFile
    sidecars: tuple[SourceFile, ...] = ()
    """The subtitle files of the request, in its order."""


class Renditions(Model):
    """The tracks of one family, largest first; none if the plan has no rung for it."""

    family: Family
    tracks: tuple[Track, ...] = ()
    shown: FrameMap | None = None
    """None if there are no tracks."""
    encode_seconds: float | None = None
    """Wall time of this run's encoding; None if a chunk, or every track, came from a checkpoint."""


class AudioTracks(Model):
    """The tracks of sound, as planned."""

    tracks: tuple[Track, ...] = ()

    @property
    def track(self) -> Track | None:
        """The stereo track that players start with."""
        return self.tracks[0] if self.tracks else None


class Release(Model):
    release_id: str
    request: int
