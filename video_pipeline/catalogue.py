"""The index as pandas data frames, for notebooks and reports.

>>> from video_pipeline import catalogue
>>> videos = catalogue.frame("videos", custom_fields=True)
>>> videos.groupby("preset")[["bits_per_pixel", "realtime_factor"]].median()
>>> rungs = catalogue.frame("renditions", where={"customer": "acme"})
>>> catalogue.frame("SELECT codec, sum(bytes) AS bytes FROM renditions GROUP BY codec")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from video_pipeline import settings
from video_pipeline.errors import RequestError
from video_pipeline.stores import query, tables
from video_pipeline.stores.index import Index
from video_pipeline.stores.search import has_field

_DTYPES: dict[type[object], Any] = {
    sa.Float: "Float64",
    sa.Integer: "Int64",
    sa.BigInteger: "Int64",
    sa.Boolean: "boolean",
    sa.String: "string",
    sa.Text: "string",
}


def frame(
    what: str = "videos",
    *,
    where: Mapping[str, str] | None = None,
    custom_fields: bool = False,
    index: Index | None = None,
) -> pd.DataFrame:
    """Rows of the index.

    Times are aware and UTC, whole numbers `Int64`, others `Float64`, truth values `boolean`, texts `string`; `tags`
    and `metadata` hold lists and dicts. Units are those of `stores.videos.VideoRecord`.

    Args:
        what: a table (videos, renditions, scenes, thumbnails, pictures, checks, custom_fields, requests,
            custom_thumbnails) or a SELECT.
        where: only rows of videos with these custom fields, as in `search --where`; for a table.
        custom_fields: a column "metadata.<field>" for each custom field; where there is a column `metadata`.
        index: another index than that of the settings.

    Raises:
        RequestError: no such table, or the SQL cannot be run or is not for reading.
        HomeError: there is no index yet.
    """
    sql, parameters = _statement(what, where or {})
    result = query.run(index or Index(settings.load().index_url), sql, parameters)
    columns = {name: _typed(name, [row[number] for row in result.rows]) for number, name in enumerate(result.columns)}
    made: pd.DataFrame = pd.DataFrame(columns)
    if not custom_fields:
        return made
    if "metadata" not in made:
        raise RequestError(f"{what!r} has no column metadata; custom fields are in videos and requests")
    fields = pd.json_normalize(list(made["metadata"])).add_prefix("metadata.")
    joined: pd.DataFrame = pd.concat([made, fields.convert_dtypes()], axis=1)
    return joined


def _statement(what: str, where: Mapping[str, str]) -> tuple[str, list[query.Value]]:
    if " " in what.strip() or "\n" in what.strip():
        if where:
            raise RequestError("where: is for a table; put the condition into the SELECT")
        return what, []
    table = tables.metadata.tables.get(what)
    if table is None:
        raise RequestError(f"table {what!r}: use one of {', '.join(tables.metadata.tables)}, or a SELECT")
    select = sa.select(table).order_by(*table.primary_key)
    for key, value in where.items():
        select = select.where(has_field(table.c.video_id, key, value))
    compiled = select.compile(dialect=sqlite.dialect(paramstyle="qmark"))
    values = compiled.construct_params()
    return str(compiled), [values[name] for name in compiled.positiontup or ()]


def _typed(name: str, values: list[query.Value]) -> pd.Series[Any]:
    """By the type that a column of this name has in the index; as it looks, if the values are not of that type."""
    plain: pd.Series[Any] = pd.Series(values, dtype="object")
    kind = _kinds().get(name)
    try:
        if kind is tables.UtcDateTime:
            return pd.to_datetime(plain, utc=True, format="ISO8601")
        if kind is sa.JSON:
            return plain.map(json.loads, na_action="ignore")
        if kind is not None:
            return plain.astype(_DTYPES[kind])
    except (TypeError, ValueError):
        pass
    inferred: pd.Series[Any] = plain.convert_dtypes()
    return inferred


@cache
def _kinds() -> dict[str, type[object]]:
    return {column.name: type(column.type) for table in tables.metadata.tables.values() for column in table.columns}
