"""The tables of the index. A change here needs a migration in `migrations/versions` and a new `REVISION`."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

REVISION = "0005"
"""The newest migration; an index that is there already is not migrated again."""

# A constraint without a name cannot be altered later (https://alembic.sqlalchemy.org/en/latest/naming.html).
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in, an aware UTC time out; databases without time zones store UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(timezone.utc)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


requests = Table(
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("video_id", String(63), nullable=False),
    Column("version", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("preset", Text, nullable=False),
    Column("title", Text),
    Column("description", Text),
    Column("tags", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("options", JSON, nullable=False, server_default="{}"),  # trim, thumbnailsAt, ... as in the job
    Column("job_id", Text, unique=True),
    Column("created", UtcDateTime, nullable=False),
    Column("release_id", String(20)),  # what was made of it, once published and indexed
    Column("published", UtcDateTime),
    UniqueConstraint("video_id", "version"),
)

videos = Table(
    "videos",
    metadata,
    Column("id", Integer, primary_key=True),  # also the row of the full-text table
    Column("video_id", String(63), nullable=False, unique=True),
    Column("release_id", String(20), nullable=False),
    Column("request", Integer, nullable=False),
    Column("published", UtcDateTime, nullable=False),
    Column("title", Text),
    Column("description", Text),
    Column("tags", JSON, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("preset", Text, nullable=False),
    Column("source_name", Text, nullable=False),
    Column("source_sha256", String(64), nullable=False),
    Column("source_bytes", BigInteger, nullable=False),
    Column("container", Text, nullable=False),
    Column("codec", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("rate", Float, nullable=False),  # frames/s
    Column("duration", Float, nullable=False),  # s
    Column("loudness", Float),  # LUFS
    Column("loudness_range", Float),  # LU
    Column("true_peak", Float),  # dBTP
    Column("momentary_max", Float),  # LUFS, over 0.4 s
    Column("short_term_max", Float),  # LUFS, over 3 s
    Column("loudness_target", Float),  # LUFS; none if the sound is left as it is
    Column("waveform_path", Text),  # inside of the video's directory
    Column("waveform_bytes", BigInteger),
    Column("download_path", Text),  # likewise
    Column("download_bytes", BigInteger),
    Column("poster_path", Text),  # likewise
    Column("thumbhash", Text),  # of the poster
    Column("preview_path", Text),  # likewise
    Column("preview_bytes", BigInteger),
    Column("encode_seconds", Float),
    Column("realtime_factor", Float),
    Column("bytes", BigInteger, nullable=False),
    Column("bits_per_pixel", Float),
)


def _of_video() -> Column[str]:
    return Column(
        "video_id", String(63), ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True, nullable=False
    )


renditions = Table(
    "renditions",
    metadata,
    _of_video(),
    Column("name", Text, primary_key=True),
    Column("codec", Text, nullable=False),
    Column("encoder", Text),  # ffmpeg's name; none for audio
    Column("width", Integer),  # none for audio
    Column("height", Integer),
    Column("shorter_side", Integer),
    Column("rate", Float),
    Column("bit_rate", Integer, nullable=False),  # bit/s
    Column("peak_bit_rate", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("bits_per_pixel", Float),
    Column("encode_seconds", Float),
)

scenes = Table(
    "scenes",
    metadata,
    _of_video(),
    Column("number", Integer, primary_key=True),
    Column("first_frame", Integer, nullable=False),
    Column("end_frame", Integer, nullable=False),  # the first of the next scene
    Column("start", Float, nullable=False),  # s
    Column("duration", Float, nullable=False),  # s
    Column("transition", Text),  # how it begins: start, cut, fade, dissolve
    Column("transition_frames", Integer),
    Column("complexity", Float),  # 1 is as hard to encode as the whole
)

thumbnails = Table(
    "thumbnails",
    metadata,
    _of_video(),
    Column("name", Text, primary_key=True),
    Column("kind", Text),  # poster, candidate, asked, custom
    Column("rank", Integer),  # the best is 1
    Column("frame", Integer),  # none of a custom one, as time and score
    Column("time", Float),  # s
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("score", Float),
    Column("sharpness", Float),  # the parts of the score, 0 to 1
    Column("contrast", Float),
    Column("exposure", Float),
    Column("colourfulness", Float),
    Column("stillness", Float),
    Column("placement", Float),  # distance from cuts and fades
    Column("why", Text),
    Column("thumbhash", Text),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

pictures = Table(
    "pictures",
    metadata,
    _of_video(),
    Column("name", Text, primary_key=True),  # of the file
    Column("thumbnail", Text, nullable=False),  # whose form it is
    Column("format", Text, nullable=False),  # jpeg, webp, avif
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("quality", Integer, nullable=False),  # of its encoder
    Column("ssim", Float, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

custom_thumbnails = Table(
    "custom_thumbnails",  # kept until they are removed, whatever is published meanwhile
    metadata,
    Column("video_id", String(63), primary_key=True),
    Column("sha256", String(64)),  # of the file as it was brought; none once it is removed, as the next three
    Column("size", BigInteger),
    Column("name", Text),
    Column("uri", Text),
    Column("request", Integer, nullable=False),  # the newest version then: that and older ones change it no more
    Column("set_at", UtcDateTime, nullable=False),
)

checks = Table(
    "checks",
    metadata,
    _of_video(),
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("measured", Text, nullable=False),
)

custom_fields = Table(
    "custom_fields",
    metadata,
    _of_video(),
    Column("key", Text, primary_key=True),  # dotted for a field inside a field
    Column("position", Integer, primary_key=True),  # in a list, else 0
    Column("value", Text, nullable=False),
    Column("number", Float),  # the value, if it is a number
    Index("custom_fields_by_value", "key", "value"),
)

OF_VIDEO = (renditions, scenes, thumbnails, pictures, checks, custom_fields)
"""Replaced with their video."""
