"""Search over titles, descriptions, tags and custom fields: the one place that knows SQLite's full-text tables.

Another database needs its own `replace_words` and `_matching`; see https://www.sqlite.org/fts5.html for this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from video_pipeline.base import Model
from video_pipeline.errors import RequestError
from video_pipeline.stores.fields import as_number
from video_pipeline.stores.index import Index
from video_pipeline.stores.tables import custom_fields, renditions, videos

_WORDS = sa.table("video_words", sa.column("rowid", sa.Integer))
# A word of the title weighs more than one of the tags, the description, a custom field.
_RANK: sa.ColumnElement[float] = sa.literal_column("bm25(video_words, 10.0, 2.0, 5.0, 1.0)", sa.Float)
_SNIPPET: sa.ColumnElement[str] = sa.literal_column("snippet(video_words, -1, '[', ']', '…', 12)", sa.String)
_LARGE = 2**31 - 1
_OTHER_NAMES = {"avc": "h264", "h265": "hevc"}


class Hit(Model):
    video_id: str
    title: str | None
    release_id: str
    height: int | None
    """Shorter side of the largest rendition, pixels: 1080 for a portrait 1080p too."""
    codecs: tuple[str, ...]
    """Of the renditions, in alphabetical order."""
    duration: float
    """Seconds."""
    rank: float
    """bm25: the lower, the better; 0 if no words were given."""
    snippet: str
    """Where the words were found, they in [brackets]; empty without words."""


def search(
    index: Index,
    words: str = "",
    *,
    codec: str | None = None,
    min_height: int | None = None,
    where: Mapping[str, str] | None = None,
    limit: int = 20,
) -> list[Hit]:
    """The videos that have all the words, best first; the newest without words.

    Case and accents do not matter and the last word may be the beginning of one. No character of `words` means
    anything else than itself.

    Args:
        codec, min_height: the video has a rendition with this codec, of at least this shorter side; with both, one
            rendition has both.
        where: custom fields and their values, as text; a field inside a field is "outer.inner", of a list any
            element counts.

    Raises:
        RequestError: `limit` is not positive.
    """
    if limit < 1:
        raise RequestError(f"limit {limit}: must be at least 1")
    terms = _terms(words)
    rank, snippet = (_RANK, _SNIPPET) if terms else (sa.literal(0.0), sa.literal(""))
    query = sa.select(videos, rank.label("score"), snippet.label("snippet"))
    if terms:
        query = query.join(_WORDS, _WORDS.c.rowid == videos.c.id).where(_matching(terms))
    if codec is not None or min_height is not None:
        query = query.where(_rendition(codec, min_height))
    for key, value in (where or {}).items():
        query = query.where(has_field(videos.c.video_id, key, value))
    query = query.order_by(sa.literal_column("score"), videos.c.published.desc(), videos.c.video_id).limit(
        min(limit, _LARGE)
    )
    with index.read() as connection:
        rows = connection.execute(query).all()
        streams = _streams(connection, [row.video_id for row in rows])
    return [_hit(row, streams.get(row.video_id, [])) for row in rows]


def replace_words(connection: sa.Connection, row_id: int, **texts: str) -> None:
    """The words a video is found by: title, description, tags, custom."""
    connection.execute(sa.text("DELETE FROM video_words WHERE rowid = :row_id"), {"row_id": row_id})
    connection.execute(
        sa.text(
            "INSERT INTO video_words (rowid, title, description, tags, custom) "
            "VALUES (:row_id, :title, :description, :tags, :custom)"
        ),
        {"row_id": row_id, **texts},
    )


def has_field(video_id: sa.ColumnElement[str], key: str, value: str) -> sa.ColumnElement[bool]:
    """Whether the video has the custom field with this value."""
    key, value = _clean(key), _clean(value)
    same = custom_fields.c.value == value
    number = as_number(value)
    if number is not None:
        same = sa.or_(same, custom_fields.c.number == number)
    return sa.exists().where(custom_fields.c.video_id == video_id, custom_fields.c.key == key, same)


def _terms(words: str) -> list[str]:
    """What the tokenizer can make words of."""
    return [term for term in _clean(words).split() if any(letter.isalnum() for letter in term)]


def _clean(text: str) -> str:
    """Without what no database text can hold: NUL, and bytes of a command line that are no UTF-8."""
    return text.replace("\0", " ").encode(errors="replace").decode()


def _matching(terms: Iterable[str]) -> sa.ColumnElement[bool]:
    # Inside quotes nothing is syntax; a star after them makes the last one a prefix.
    quoted = ['"' + term.replace('"', '""') + '"' for term in terms]
    return sa.literal_column("video_words").bool_op("MATCH")(sa.literal(" ".join(quoted) + "*"))


def _rendition(codec: str | None, min_height: int | None) -> sa.ColumnElement[bool]:
    found = sa.exists().where(renditions.c.video_id == videos.c.video_id)
    if codec is not None:
        name = _clean(codec).lower().replace(".", "")
        found = found.where(renditions.c.codec == _OTHER_NAMES.get(name, name))
    if min_height is not None:
        found = found.where(renditions.c.shorter_side >= min(min_height, _LARGE))
    return found


def _streams(connection: sa.Connection, ids: list[str]) -> dict[str, list[Any]]:
    query = sa.select(renditions.c.video_id, renditions.c.codec, renditions.c.shorter_side)
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query.where(renditions.c.video_id.in_(ids))):
        found.setdefault(row.video_id, []).append(row)
    return found


def _hit(row: Any, streams: list[Any]) -> Hit:
    return Hit(
        video_id=row.video_id,
        title=row.title,
        release_id=row.release_id,
        height=max((stream.shorter_side for stream in streams if stream.shorter_side), default=None),
        codecs=tuple(sorted({stream.codec for stream in streams})),
        duration=row.duration,
        rank=row.score,
        snippet=row.snippet,
    )
