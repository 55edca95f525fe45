"""The pictures made of a video: what is known of each. Units as in `model`."""

from __future__ import annotations

from typing import Literal

from video_pipeline.base import Model, Rational
from video_pipeline.media.image_plan import PictureFormat
from video_pipeline.media.model import Blob

Kind = Literal["poster", "candidate", "asked"]


class Score(Model):
    """How good a frame is as a picture, by parts; all 0 to 1, larger is better."""

    sharpness: float
    contrast: float
    exposure: float
    colourfulness: float
    stillness: float
    """Against the frame after it."""
    placement: float
    """Distance from cuts and fades."""


class PictureFile(Model):
    """One form of a picture."""

    name: str
    """File name, as in poster-640.webp."""
    format: PictureFormat
    width: int
    height: int
    quality: int
    """Of the encoder, as it was found for the wanted SSIM."""
    ssim: float
    """Of the luma, against the picture it was made of in this size; 0 to 1."""
    file: Blob


class Rejected(Model):
    """A frame that was looked at and is not offered."""

    frame: int
    why: str


class Thumbnail(Model):
    name: str
    """File name: poster.jpg, 01.jpg, ..., at-01.jpg, ..."""
    kind: Kind = "candidate"
    rank: int | None = None
    """Among those that were chosen from, the best is 1; None of others."""
    frame: int
    time: float
    width: int
    height: int
    score: float
    """0 to about 1; larger is better."""
    parts: Score | None = None
    why: str = ""
    """What speaks for it, for people."""
    thumbhash: str = ""
    """A placeholder of about 25 bytes (https://evanw.github.io/thumbhash/), Base64."""
    file: Blob
    """The JPEG in full width."""
    forms: tuple[PictureFile, ...] = ()
    """All files of it, that one first."""


class CustomPicture(Model):
    """The poster that somebody brought."""

    source: Blob
    """As it was brought."""
    source_name: str
    name: str = "poster.jpg"
    width: int
    height: int
    thumbhash: str = ""
    file: Blob
    """As of a `Thumbnail`, as are the forms."""
    forms: tuple[PictureFile, ...]


class Thumbnails(Model):
    poster: Thumbnail
    """The frame that was asked for, or the best; called chosen.jpg where a `custom` picture takes its place."""
    custom: CustomPicture | None = None
    candidates: tuple[Thumbnail, ...] = ()
    """By time."""
    at: tuple[Thumbnail, ...] = ()
    """Those that were asked for by their moment, in that order."""
    rejected: tuple[Rejected, ...] = ()

    def with_custom(self, custom: CustomPicture) -> Thumbnails:
        """With this picture as the poster."""
        forms = tuple(form.model_copy(update={"name": _chosen(form.name)}) for form in self.poster.forms)
        poster = self.poster.model_copy(update={"name": _chosen(self.poster.name), "forms": forms})
        return self.model_copy(update={"poster": poster, "custom": custom})

    @property
    def all(self) -> tuple[Thumbnail, ...]:
        return (self.poster, *self.candidates, *self.at)

    @property
    def files(self) -> dict[str, Blob]:
        """File name to content."""
        return {form.name: form.file for form in self.forms}

    @property
    def forms(self) -> tuple[PictureFile, ...]:
        """All there are."""
        brought = self.custom.forms if self.custom else ()
        return (*brought, *(form for picture in self.all for form in picture.forms))


def _chosen(name: str) -> str:
    return name.replace("poster", "chosen", 1)


class Sprites(Model):
    """Sheets of tiles, all of one size: tiles row by row, the last sheet filled up with black."""

    sheets: tuple[Blob, ...]
    tiles: int
    frames: tuple[int, ...]
    """That the tiles show, as the decoder numbers them by their times."""
    columns: int
    rows: int
    tile_width: int
    tile_height: int
    interval: Rational
    quality: int
    """Of the JPEG."""
    vtt: str
    """The WebVTT text; sheets are named sheet-000.jpg, sheet-001.jpg, ..."""


def sheet_name(number: int) -> str:
    return f"sheet-{number:03}.jpg"


class Preview(Model):
    """A short silent clip of the best scenes; without files if the plan has none."""

    clip: Blob | None = None
    """MP4."""
    animation: Blob | None = None
    """Animated WebP."""
    width: int = 0
    """Of both, pixels, as the height."""
    height: int = 0
    seconds: float = 0.0
    parts: tuple[tuple[int, int], ...] = ()
    """The frames of the video it shows, by time: the first, and the one behind the last, of each part."""
    step: int = 1
    """The animation shows every such frame of the clip."""

    @property
    def files(self) -> dict[str, Blob]:
        """File name to content."""
        named = {"preview.mp4": self.clip, "preview.webp": self.animation}
        return {name: blob for name, blob in named.items() if blob}

    @property
    def frames(self) -> list[int]:
        """Of the video, in the order in which they are shown."""
        return [frame for start, end in self.parts for frame in range(start, end)]
