"""Metadata people look at in the Dagster UI: tables and small pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import dagster as dg

Cell = str | int | float | bool | None
Metadata = str | int | float | bool | dg.MetadataValue


def table(rows: Sequence[Mapping[str, Cell]]) -> dg.MetadataValue:
    """A table; every row has the same keys."""
    return dg.MetadataValue.table(records=[dg.TableRecord(dict(row)) for row in rows])


def picture(data: bytes, title: str, kind: str = "jpeg") -> dg.MetadataValue:
    """A JPEG or PNG inside the metadata itself, so that it shows wherever the UI runs."""
    return dg.MetadataValue.md(f"![{title}](data:image/{kind};base64,{base64.b64encode(data).decode()})")


def megabits(bits_per_second: float) -> float:
    """Mbit/s, for people."""
    return round(bits_per_second / 1e6, 3)
