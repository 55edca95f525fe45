"""`video-pipeline presets`: which there are, and what one of them says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from video_pipeline import presets, settings
from video_pipeline.cli_table import table
from video_pipeline.errors import RequestError
from video_pipeline.presets.explain import Explained, Key, explain, meaning
from video_pipeline.presets.model import Preset


@click.command("presets")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object; of a list, one per line.")
def list_presets(name: str | None, as_json: bool) -> None:
    """List the presets, or explain the one called NAME: every key, its value, what it means and which file it is
    from."""
    directory = settings.load().presets_dir
    if name is not None:
        found = explain(name, directory)
        click.echo(json.dumps(_document(found), ensure_ascii=False) if as_json else _explained(found))
        return
    rows = [_row(one, directory) for one in presets.names(directory)]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    cells = [
        (row["name"], f"cannot be used: {row['error']}", "", "", "")
        if "error" in row
        else (row["name"], row["description"], " ".join(row["families"]), f"{row['largest']}p", row["file"])
        for row in rows
    ]
    click.echo(table(("preset", "what it is", "families", "up to", "file"), cells, wrap=[1]))


def _row(name: str, directory: Path | None) -> dict[str, Any]:
    """One preset in a few words; a broken file hides none of the others."""
    try:
        preset, files = presets.load(name, directory), presets.chain(name, directory)
    except RequestError as error:
        return {"name": name, "error": str(error)}
    heights = [rung.height for family in preset.families.values() for rung in family.rungs]
    return {
        "name": name,
        "description": preset.description,
        "families": list(preset.families),
        "largest": max(height for height in heights if height <= preset.max_height),
        "file": _called(files[0][0]),
    }


def _called(path: Path) -> str:
    return "built in" if path.parent == presets.BUILT_IN else str(path)


def _document(found: Explained) -> dict[str, Any]:
    document = {"name": found.preset.name, "digest": found.preset.digest, "files": [str(path) for path in found.files]}
    return {**document, "keys": [key.model_dump(mode="json") for key in found.keys]}


def _explained(found: Explained) -> str:
    preset = found.preset
    parts = [f"{preset.name}: {preset.description}", "\n".join(_lineage(found))]
    sections: dict[str, list[Key]] = {}
    for key in found.keys:
        if key.name != "description" and not key.name.endswith(".rungs"):
            sections.setdefault(key.name.rpartition(".")[0], []).append(key)
    for title, keys in sections.items():
        rows = [(_last(key), _value(key.value), _from(found, key), _meaning(key)) for key in keys]
        heading = f"{title}: {meaning(Preset, title)}\n" if title else ""
        parts.append(heading + table(("key", "value", "from", "what it means"), rows, wrap=[1, 3]))
        if title in preset.families:
            parts.append(_rungs(found, title))
    return "\n\n".join(parts)


def _lineage(found: Explained) -> list[str]:
    return [f"{path.stem:12}{_called(path)}" for path in found.files]


def _rungs(found: Explained, family: str) -> str:
    key = next(key for key in found.keys if key.name == f"{family}.rungs")
    rungs = [rung for rung in key.value if rung["height"] <= found.preset.max_height]
    rows = [(f"{rung['height']}p", rung["crf"], rung["maxrate"]) for rung in rungs]
    above = f"; {len(key.value) - len(rungs)} above max_height" if len(rungs) < len(key.value) else ""
    return f"{key.name}, from {_from(found, key)}{above}\n{table(('rung', 'crf', 'ceiling kbit/s'), rows)}"


def _last(key: Key) -> str:
    return key.name.rpartition(".")[2]


def _from(found: Explained, key: Key) -> str:
    if key.file is None:
        return "default"
    # A user's file may extend the built-in one of its name.
    alone = [path.stem for path in found.files].count(key.file.stem) == 1
    return key.file.stem if alone else f"{key.file.stem} ({_called(key.file)})"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {text}" for name, text in value.items()) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value).removesuffix("/1")


def _meaning(key: Key) -> str:
    return f"{key.meaning} ({key.allowed})" if key.allowed else key.meaning
