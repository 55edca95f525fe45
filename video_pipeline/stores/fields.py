"""Custom fields, any JSON, as rows of key and text that can be searched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def flatten(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Key and text of every value inside: {"a": {"b": [1, "x"]}, "c": True} gives a.b=1, a.b=x, c=true."""
    for key, item in value.items():
        yield from _flatten(item, f"{prefix}{key}")


def _flatten(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield from flatten(value, f"{key}.")
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _flatten(item, key)
    else:
        yield key, value if isinstance(value, str) else json.dumps(value)


def as_number(text: str) -> float | None:
    """The value as a number, so that 1, 1.0 and "1" are found alike; None if it is none, or not exact."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if abs(found) < 2**53 else None
