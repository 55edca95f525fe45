"""What a preset says, key by key: the value, what it means, and which file it is from.

The meanings are the texts under the keys in `model` and `families`; nothing is said twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from video_pipeline import presets
from video_pipeline.base import Model
from video_pipeline.presets.model import Preset

Files = Sequence[tuple[Path, dict[str, Any]]]


class Key(Model):
    name: str
    """With dots: "h264.preset"."""
    value: Any
    """As JSON has it."""
    meaning: str
    allowed: str
    """Words, bounds, or the keys of a table that is not there; empty if the meaning says it."""
    file: Path | None
    """Where it is set; None for the default."""


class Explained(Model):
    preset: Preset
    files: tuple[Path, ...]
    """Its own, that of the preset it extends, and so on."""
    keys: tuple[Key, ...]


def explain(name: str, directory: Path | None = None) -> Explained:
    """Raises `RequestError` as `presets.load`."""
    preset, files = presets.load(name, directory), presets.chain(name, directory)
    keys = tuple(key for key in _keys(preset, files, ()) if key.name != "name")
    return Explained(preset=preset, files=tuple(path for path, _ in files), keys=keys)


def _keys(table: Model, files: Files, above: tuple[str, ...]) -> Iterator[Key]:
    values, bounds = table.model_dump(mode="json"), type(table).model_json_schema()["properties"]
    for name in type(table).model_fields:
        value, path = getattr(table, name), (*above, name)
        if isinstance(value, Model):
            yield from _keys(value, files, path)
            continue
        yield Key(
            name=".".join(path),
            value=values[name],
            meaning=meaning(type(table), name),
            allowed=_allowed(bounds[name]) or _below(type(table), name),
            file=_file(path, files),
        )


def meaning(table: type[Model], key: str) -> str:
    """What a key means, in words: of the nearest class that has some."""
    fields = [base.model_fields[key] for base in table.__mro__ if issubclass(base, Model) and key in base.model_fields]
    return next((" ".join(field.description.split()) for field in fields if field.description), "")


def _allowed(schema: dict[str, Any]) -> str:
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    words = [str(word) for kind in kinds for word in kind.get("enum", [kind["const"]] if "const" in kind else [])]
    if words:
        return ", ".join(words)
    bounds = [(kind["minimum"], kind["maximum"]) for kind in kinds if {"minimum", "maximum"} <= kind.keys()]
    return f"{bounds[0][0]:g} to {bounds[0][1]:g}" if bounds else ""


def _below(table: type[Model], key: str) -> str:
    """The keys of a table that is not there."""
    kinds = get_args(table.model_fields[key].annotation)
    names = [name for kind in kinds if isinstance(kind, type) and issubclass(kind, Model) for name in kind.model_fields]
    return f"keys: {', '.join(names)}" if names else ""


def _file(path: tuple[str, ...], files: Files) -> Path | None:
    """The nearest file that sets this key."""
    for file, table in files:
        found: Any = table
        for name in path:
            if not isinstance(found, dict):
                return None  # a whole table is taken away here, and what is below it in other files counts no more
            if name not in found:
                break
            found = found[name]
        else:
            return file
    return None
