"""What a request may ask of one video, beyond its preset."""

from __future__ import annotations

from typing import Literal

from video_pipeline.base import Model

AudioWish = Literal["keep", "stereo", "none"]
Moment = float | str
"""Seconds from the start of what is published, or per cent of it as "12.5%"."""


class Trim(Model):
    """The part of the source to publish, in seconds from the source's first picture; frame exact."""

    start: float = 0.0
    end: float | None = None
    """Exclusive; None is the source's end."""


class Sidecar(Model):
    """A subtitle file that comes with the video."""

    source: str
    """An absolute path or file:// URL, as the workers see it."""
    language: str
    """BCP 47, e.g. "en" or "pt-BR"."""
    label: str | None = None
    """As players show it; without one the language's own name."""


class Options(Model):
    trim: Trim | None = None
    thumbnails_at: tuple[Moment, ...] = ()
    """More thumbnails, at these moments."""
    poster: Moment | None = None
    """The moment the poster shows; without one it is chosen."""
    audio: AudioWish = "keep"
    """Every track as it is, with a stereo mix beside surround; stereo alone; or no sound."""
    subtitles: tuple[Sidecar, ...] = ()
