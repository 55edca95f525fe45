"""What the index knows of a published video; its rows are replaced together or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa

from video_pipeline.base import Model
from video_pipeline.media.image_products import CustomPicture, Score, Thumbnail
from video_pipeline.media.products import CheckResult, Loudness, Scene
from video_pipeline.stores import search, tables
from video_pipeline.stores.fields import as_number, flatten
from video_pipeline.stores.index import Index
from video_pipeline.stores.objects import ObjectStore
from video_pipeline.stores.pointer import read_pointer
from video_pipeline.stores.requests import mark_published


class RenditionRecord(Model):
    name: str
    """As in "h264-720p" and "audio-1"."""
    codec: str
    """h264, hevc, vp9, av1, aac, ..."""
    encoder: str | None = None
    """ffmpeg's name of what made it; None for audio, and for the source's own packets."""
    width: int | None = None
    """None for audio, as are the height and the rate."""
    height: int | None = None
    rate: float | None = None
    """Frames per second."""
    bit_rate: int
    """Average, bit/s."""
    peak_bit_rate: int
    bytes: int
    sha256: str
    """Of the delivered file."""
    bits_per_pixel: float | None = None
    encode_seconds: float | None = None


class VideoRecord(Model):
    video_id: str
    release_id: str
    request: int
    """Version of the request the release was made for."""
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    """Custom fields: any JSON."""
    preset: str

    source_name: str
    source_sha256: str
    source_bytes: int
    container: str
    codec: str
    """Of the source's pictures."""
    width: int
    """The source as a player shows it: square pixels, rotation applied."""
    height: int
    rate: float
    """Frames per second of the renditions."""
    duration: float
    """Seconds."""
    loudness: Loudness | None = None
    loudness_target: float | None = None
    """LUFS the sound was to be brought to; None if it was left as it is."""
    waveform_path: str | None = None
    """As `download_path`, inside of the video's directory; None without sound."""
    waveform_bytes: int | None = None
    download_path: str | None = None
    """None if there is no MP4 for download."""
    download_bytes: int | None = None

    encode_seconds: float | None = None
    realtime_factor: float | None = None
    """Seconds of video per second of encoding."""
    bytes: int
    """All files of the release."""
    bits_per_pixel: float | None = None
    renditions: tuple[RenditionRecord, ...] = ()
    scenes: tuple[Scene, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()
    custom_thumbnail: CustomPicture | None = None
    """It is the poster, if there is one."""
    poster_path: str | None = None
    """As `download_path`."""
    thumbhash: str | None = None
    """Of the poster."""
    preview_path: str | None = None
    """As `download_path`; None if there is no preview clip."""
    preview_bytes: int | None = None
    checks: tuple[CheckResult, ...] = ()


_CHILDREN = {"renditions", "scenes", "thumbnails", "custom_thumbnail", "checks", "loudness"}


def replace_video(index: Index, record: VideoRecord, *, store: ObjectStore | None = None) -> bool:
    """Replaces all rows of the video and marks its request as published, in one transaction.

    Args:
        store: where the pointer is. Given, the rows are replaced only while the pointer names this release: of two
            runs that publish one video, the one that indexes last may not be the one that published last.

    Returns:
        False if the pointer names another release meanwhile: only the request was marked.
    """
    with index.write() as connection:
        mark_published(connection, record.video_id, record.request, record.release_id)
        if store is not None:
            pointer = read_pointer(store, record.video_id)[0]
            if pointer is None or pointer.release_id != record.release_id:
                return False
        _replace(connection, record)
    return True


def duration(index: Index, video_id: str) -> float | None:
    """Of the indexed video, s; None if it is not indexed."""
    videos = tables.videos
    query = sa.select(videos.c.duration).where(videos.c.video_id == video_id)
    with index.read() as connection:
        found: float | None = connection.execute(query).scalar()
        return found


def _replace(connection: sa.Connection, record: VideoRecord) -> None:
    videos = tables.videos
    of_video = videos.c.video_id == record.video_id
    known = connection.execute(sa.select(videos.c.id, videos.c.release_id, videos.c.published).where(of_video)).first()
    same = known is not None and known.release_id == record.release_id
    loudness = record.loudness or Loudness(integrated=None, range=None, true_peak=None)
    row = {
        **record.model_dump(exclude=_CHILDREN),
        "tags": list(record.tags),
        "published": known.published if known is not None and same else datetime.now(timezone.utc),
        "loudness": loudness.integrated,
        "loudness_range": loudness.range,
        "true_peak": loudness.true_peak,
        "momentary_max": loudness.momentary_max,
        "short_term_max": loudness.short_term_max,
    }
    if known is None:
        inserted = connection.execute(sa.insert(videos).values(row)).inserted_primary_key
        row_id = int(inserted[0]) if inserted else 0
    else:
        row_id = known.id
        connection.execute(sa.update(videos).where(of_video).values(row))
    for table in tables.OF_VIDEO:
        connection.execute(sa.delete(table).where(table.c.video_id == record.video_id))
    for table, rows in _children(record):
        if rows:
            connection.execute(sa.insert(table), [{"video_id": record.video_id, **row} for row in rows])
    search.replace_words(
        connection,
        row_id,
        title=record.title or "",
        description=record.description or "",
        tags=" ".join(record.tags),
        custom=" ".join(value for _, value in flatten(record.metadata)),
    )


def _children(record: VideoRecord) -> Iterator[tuple[sa.Table, Sequence[dict[str, Any]]]]:
    yield (
        tables.renditions,
        [
            {
                **rendition.model_dump(),
                "shorter_side": min(rendition.width, rendition.height)
                if rendition.width and rendition.height
                else None,
            }
            for rendition in record.renditions
        ],
    )
    yield (
        tables.scenes,
        [
            {
                "number": scene.index,
                "first_frame": scene.start,
                "end_frame": scene.end,
                "start": scene.start / record.rate,
                "duration": (scene.end - scene.start) / record.rate,
                "transition": scene.transition,
                "transition_frames": scene.transition_frames,
                "complexity": scene.complexity,
            }
            for scene in record.scenes
        ],
    )
    yield tables.thumbnails, list(_thumbnail_rows(record))
    yield tables.pictures, list(_picture_rows(record))
    yield tables.checks, [{"number": number, **check.model_dump()} for number, check in enumerate(record.checks)]
    yield tables.custom_fields, list(_field_rows(record.metadata))


def _thumbnail_rows(record: VideoRecord) -> Iterator[dict[str, Any]]:
    unknown = dict.fromkeys(Score.model_fields)
    for one in record.thumbnails:
        yield {
            **one.model_dump(exclude={"file", "forms", "parts"}),
            **(one.parts.model_dump() if one.parts else unknown),
            "bytes": one.file.size,
            "sha256": one.file.sha256,
        }
    if custom := record.custom_thumbnail:
        yield {
            **dict.fromkeys(column.name for column in tables.thumbnails.columns if column.name != "video_id"),
            **custom.model_dump(include={"name", "width", "height", "thumbhash"}),
            "kind": "custom",
            "why": f"brought as {custom.source_name}",
            "bytes": custom.file.size,
            "sha256": custom.file.sha256,
        }


def _picture_rows(record: VideoRecord) -> Iterator[dict[str, Any]]:
    owners: list[Thumbnail | CustomPicture] = [
        *record.thumbnails,
        *([record.custom_thumbnail] if record.custom_thumbnail else []),
    ]
    for owner in owners:
        for form in owner.forms:
            yield {
                **form.model_dump(exclude={"file"}),
                "thumbnail": owner.name,
                "bytes": form.file.size,
                "sha256": form.file.sha256,
            }


def _field_rows(metadata: dict[str, Any]) -> Iterator[dict[str, Any]]:
    seen: dict[str, int] = {}
    for key, value in flatten(metadata):
        position = seen[key] = seen.get(key, -1) + 1
        yield {"key": key, "position": position, "value": value, "number": as_number(value)}
