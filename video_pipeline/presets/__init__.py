"""Presets: YAML tables that say what to make of a video, and the way they are found.

A preset is a file `<name>.yaml`. `extends: <name>` starts from another one: its mappings are merged key by key, its
lists replaced, its description is not taken over. A user's directory comes first, so a file `web.yaml` there overrides
the built-in preset; when it says `extends: web` it starts from the built-in one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from video_pipeline.errors import RequestError
from video_pipeline.presets.model import Preset

BUILT_IN = Path(__file__).parent
NAME = r"[a-z0-9][a-z0-9+-]{0,30}"
"""The whole name of a preset, as a regular expression."""

__all__ = ["Preset", "chain", "load", "names"]


def names(directory: Path | None = None) -> list[str]:
    """Every preset that `load` would find."""
    found = {path.stem for place in (directory, BUILT_IN) if place for path in place.glob("*.yaml") if path.is_file()}
    return sorted(name for name in found if re.fullmatch(NAME, name))


def load(name: str, directory: Path | None = None) -> Preset:
    """The preset of this name.

    Raises:
        RequestError: there is none, or its file is wrong; the message names the file, the key and the reason.
    """
    files = chain(name, directory)
    table: dict[str, Any] = {}
    for _, over in reversed(files):
        table = _merge(table, over)
    try:
        return Preset.model_validate({**table, "name": name})
    except ValidationError as error:
        raise RequestError(f"preset file {files[0][0]}: {_first(error)}") from None


def chain(name: str, directory: Path | None = None) -> list[tuple[Path, dict[str, Any]]]:
    """The files a preset is made of, each with what it says: its own first, then that of the preset it extends, ...

    Raises:
        RequestError: there is none of this name, or one of the files cannot be read or extends itself.
    """
    if not re.fullmatch(NAME, name) or _find(name, directory) is None:
        raise RequestError(f"preset {name!r} is unknown; there are {', '.join(names(directory))}")
    files: list[tuple[Path, dict[str, Any]]] = []
    parent: object = name
    while parent is not None:
        if not isinstance(parent, str):
            raise RequestError(f"preset file {files[-1][0]}: extends: must be the name of a preset")
        path = _find(parent, directory, skip=tuple(path for path, _ in files))
        if path is None:
            raise RequestError(f"preset file {files[-1][0]}: extends: {parent!r} is unknown or extends itself")
        table = _read(path)
        parent = table.pop("extends", None)
        if parent is not None:
            table.setdefault("description", f"Like {parent}, with changes.")
        files.append((path, table))
    return files


def _find(name: str, directory: Path | None, skip: tuple[Path, ...] = ()) -> Path | None:
    places = [place / f"{name}.yaml" for place in (directory, BUILT_IN) if place]
    return next((path for path in places if path.is_file() and path not in skip), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        table = yaml.load(path.read_text("utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise RequestError(f"preset file {path}: {' '.join(str(error).split())}") from None
    if not isinstance(table, dict):
        raise RequestError(f"preset file {path}: it must be a mapping of keys to values")
    return table


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping; YAML's own takes the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        for n, (key, _) in enumerate(node.value):
            if key.value in names[:n]:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands there twice", key.start_mark)
        return super().construct_mapping(node, deep)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{key}: this key is unknown"
    reason = first["msg"].removeprefix("Value error, ")
    # A reason that names keys itself; the whole table behind it would bury it.
    if not first["loc"]:
        return reason
    whole = first["type"] == "missing" or isinstance(first["input"], dict)
    return f"{key}: {reason}" if whole else f"{key}: {reason}, not {first['input']!r}"
