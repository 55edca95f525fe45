"""The documents of a release, and the draft they are made from."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from video_pipeline.errors import RequestError
from video_pipeline.media.model import Blob
from video_pipeline.stores.keys import check_key

RELEASE_JSON = "release.json"


class _Document(BaseModel):
    """A published JSON document: camelCase, as web players and producers expect."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def text(self) -> bytes:
        return (self.model_dump_json(by_alias=True, indent=1) + "\n").encode()


class ReleaseFile(_Document):
    path: str
    """Relative to the release's directory: "hls/master.m3u8", or "../../media/<sha256>.mp4"."""
    size: int
    """bytes"""
    sha256: str


class ReleaseSource(_Document):
    sha256: str
    size: int
    """bytes"""
    name: str


class ReleasePreset(_Document):
    name: str
    digest: str


class ReleasePictureFile(_Document):
    path: str
    """As in `files` of the release."""
    type: str
    """MIME type: "image/webp"."""
    width: int
    """Pixels, as the height."""
    height: int


class ReleasePicture(_Document):
    """The poster or another thumbnail, with all its files."""

    kind: str
    """"poster", "candidate", "asked" for one of `thumbnailsAt`, or "custom" for a poster that somebody brought."""
    path: str
    """Of the JPEG in full width, which everything shows."""
    width: int
    height: int
    time: float | None
    """Of the frame it shows, s; None if it shows none."""
    thumbhash: str | None
    """A placeholder, Base64 (https://evanw.github.io/thumbhash/)."""
    files: tuple[ReleasePictureFile, ...]
    srcset: dict[str, str]
    """MIME type to what a `source` of that type has as `srcset`; URLs are relative to the release's directory."""


class Release(_Document):
    """`release.json`."""

    schema_version: Literal[1] = 1
    video_id: str
    release_id: str
    """The first 20 hex digits of the SHA-256 over all the rest, as canonical JSON."""
    request: dict[str, Any]
    source: ReleaseSource
    preset: ReleasePreset
    encoders: dict[str, str]
    download: str | None = None
    """Path of the MP4 with picture and sound that people may keep, as in `files`."""
    pictures: tuple[ReleasePicture, ...] = ()
    """The poster first."""
    files: tuple[ReleaseFile, ...]
    """Every file but release.json itself, by path."""


class Pointer(_Document):
    """`current.json`."""

    schema_version: Literal[1] = 1
    video_id: str
    release_id: str
    sequence: int
    """Counts the changes of this pointer, from 1."""


@dataclass(frozen=True)
class Draft:
    """What shall be published."""

    video_id: str
    request: Mapping[str, Any]
    """What was asked for: preset, title, description, tags, metadata, source. No times, job id or version: two
    requests that ask for the same give the same release."""
    source: ReleaseSource
    preset: ReleasePreset
    encoders: Mapping[str, str]
    """Program to its exact build, e.g. {"ffmpeg": "9.0 ..."}, and codec family to the encoder that was used."""
    files: Mapping[str, bytes | Blob] = field(default_factory=dict)
    """Path inside the release to its content; a `Blob` is in the store already."""
    media: Sequence[Blob] = ()
    """Blobs in the store that become videos/<video_id>/media/<sha256>.mp4."""
    download: Blob | None = None
    """The one of `media` that people may keep."""
    pictures: Sequence[ReleasePicture] = ()
    """Those of `files` that show the video."""

    def contents(self) -> dict[str, bytes | Blob]:
        """Every file of the release but release.json, by its path relative to the release's directory.

        Raises:
            RequestError: a path that leads outside of it, or is called release.json.
        """
        for path in self.files:
            check_key(path)
            if path == RELEASE_JSON:
                raise RequestError(f"release of {self.video_id}: {RELEASE_JSON} is written by publish")
        media = {_media(blob): blob for blob in self.media}
        return dict(sorted({**media, **self.files}.items()))

    def release(self) -> Release:
        """What `publish` makes of it. Raises as `contents`."""
        release = Release(
            video_id=self.video_id,
            release_id="",
            # One order, whatever order the producer wrote its fields in.
            request=json.loads(_canonical(dict(self.request))),
            source=self.source,
            preset=self.preset,
            encoders=dict(sorted(self.encoders.items())),
            download=_media(self.download) if self.download else None,
            pictures=tuple(self.pictures),
            files=tuple(_file(path, content) for path, content in self.contents().items()),
        )
        content = release.model_dump(mode="json", by_alias=True, exclude={"release_id"})
        digest = hashlib.sha256(_canonical(content).encode()).hexdigest()
        return release.model_copy(update={"release_id": digest[:20]})


def release_key(video_id: str, release_id: str, path: str = RELEASE_JSON) -> str:
    """The object key of a file of a release, `path` as in release.json."""
    return check_key(posixpath.normpath(f"videos/{video_id}/releases/{release_id}/{path}"))


def _media(blob: Blob) -> str:
    return f"../../media/{blob.sha256}.mp4"


def _file(path: str, content: bytes | Blob) -> ReleaseFile:
    if isinstance(content, Blob):
        return ReleaseFile(path=path, size=content.size, sha256=content.sha256)
    return ReleaseFile(path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
