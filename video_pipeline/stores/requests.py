"""Requests: what shall be made of which source, written before any run exists. Every run reads its request here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa

from video_pipeline.base import Model
from video_pipeline.media.options import Options
from video_pipeline.portable import check_json
from video_pipeline.stores.index import Index
from video_pipeline.stores.tables import custom_thumbnails, requests


class VideoRequest(Model):
    video_id: str
    version: int
    """Counts the requests of one video, from 1."""
    source: str
    preset: str
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    """Custom fields: any JSON."""
    options: Options = Options()
    job_id: str | None = None
    created: datetime
    """UTC"""


class Requests:
    def __init__(self, index: Index) -> None:
        self.index = index

    def add(
        self,
        *,
        video_id: str,
        source: str,
        preset: str,
        title: str | None = None,
        description: str | None = None,
        tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        options: Options | None = None,
        job_id: str | None = None,
    ) -> VideoRequest:
        """Records a new request under the video's next version; a job's request is recorded once and comes back as it
        is.

        Raises:
            RequestError: a text or custom field that no JSON document can hold.
        """
        row: dict[str, Any] = {
            "video_id": video_id,
            "source": source,
            "preset": preset,
            "title": title,
            "description": description,
            "tags": list(tags),
            "metadata": dict(metadata or {}),
            "options": (options or Options()).data(),
            "job_id": job_id,
        }
        for name, value in row.items():
            check_json(name, value)
        with self.index.write() as connection:
            if job_id is not None:
                known = _one(connection, requests.c.job_id == job_id)
                if known is not None:
                    return known
            last = connection.execute(
                sa.select(sa.func.max(requests.c.version)).where(requests.c.video_id == video_id)
            ).scalar()
            row |= {"version": (last or 0) + 1, "created": datetime.now(timezone.utc)}
            connection.execute(sa.insert(requests).values(row))
            return VideoRequest.model_validate(row)

    def latest(self, video_id: str) -> VideoRequest | None:
        with self.index.read() as connection:
            return _one(connection, requests.c.video_id == video_id)

    def get(self, video_id: str, version: int) -> VideoRequest | None:
        with self.index.read() as connection:
            return _one(connection, _key(video_id, version))

    def had_job(self, job_id: str) -> bool:
        """Whether a request was recorded for a job of this id, in any of its lives."""
        # A life's name is the id, a colon and more; ";" is the character after ":".
        query = sa.select(requests.c.id).where(requests.c.job_id.between(f"{job_id}:", f"{job_id};")).limit(1)
        with self.index.read() as connection:
            return connection.execute(query).first() is not None

    def published(self, video_id: str, version: int) -> str | None:
        """The release made of it, once it is published and indexed."""
        query = sa.select(requests.c.release_id).where(_key(video_id, version))
        with self.index.read() as connection:
            found: str | None = connection.execute(query).scalar()
            return found

    def picture_since(self, video_id: str, moment: datetime) -> bool:
        """Whether somebody brought or removed the video's thumbnail after that moment, and no request from before."""
        return self._picture(video_id, custom_thumbnails.c.set_at > moment)

    def picture_settled(self, video_id: str, version: int) -> bool:
        """Whether this request says nothing of the video's thumbnail any more: it was done, or a newer one was."""
        return self._picture(video_id, custom_thumbnails.c.request >= version)

    def _picture(self, video_id: str, where: sa.ColumnElement[bool]) -> bool:
        query = sa.select(custom_thumbnails.c.video_id).where(custom_thumbnails.c.video_id == video_id, where)
        with self.index.read() as connection:
            return connection.execute(query).first() is not None

    def mark_published(self, video_id: str, version: int, release_id: str) -> None:
        with self.index.write() as connection:
            mark_published(connection, video_id, version, release_id)


def mark_published(connection: sa.Connection, video_id: str, version: int, release_id: str) -> None:
    """As `Requests.mark_published`, inside a transaction; the time of the first publication of a release stays."""
    connection.execute(
        sa.update(requests)
        .where(_key(video_id, version), requests.c.release_id.is_distinct_from(release_id))
        .values(release_id=release_id, published=datetime.now(timezone.utc))
    )


_FIELDS = [requests.c[name] for name in VideoRequest.model_fields]


def _key(video_id: str, version: int) -> sa.ColumnElement[bool]:
    return sa.and_(requests.c.video_id == video_id, requests.c.version == version)


def _one(connection: sa.Connection, where: sa.ColumnElement[bool]) -> VideoRequest | None:
    row = connection.execute(sa.select(*_FIELDS).where(where).order_by(requests.c.version.desc()).limit(1)).first()
    return None if row is None else VideoRequest.model_validate(dict(row._mapping))
