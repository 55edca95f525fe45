"""`video-pipeline presets`: what it says is what the files say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from video_pipeline import presets
from video_pipeline.presets.explain import explain, meaning
from video_pipeline.presets.families import FamilyPreset
from video_pipeline.presets.model import Preset
from video_pipeline_tests.processes import run

MINE = """\
extends: web+
description: Mine.
hevc: none
h264: {options: {tune: film}}
audio: {silence: true}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    place = tmp_path / "presets"
    place.mkdir()
    (place / "mine.yaml").write_text(MINE)
    (place / "web.yaml").write_text("extends: web\nmax_rate: 30\n")
    (place / "broken.yaml").write_text("extends: web\nmax_hight: 720\n")
    return place


def told(tmp_path: Path, directory: Path, *arguments: str) -> str:
    done = run(tmp_path / "home", "presets", *arguments, VIDEO_PIPELINE_PRESETS_DIR=str(directory), COLUMNS="160")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "home").exists()
    return done.stdout


def test_lists_all_and_what_is_wrong_with_one(tmp_path: Path, directory: Path) -> None:
    rows = [json.loads(line) for line in told(tmp_path, directory, "--json").splitlines()]
    assert [row["name"] for row in rows] == sorted(["mine", "broken", *presets.names()])
    by_name = {row.pop("name"): row for row in rows}
    assert by_name["mine"] == {
        "description": "Mine.",
        "families": ["h264", "av1"],
        "largest": 2160,
        "file": str(directory / "mine.yaml"),
    }
    assert by_name["480p"]["largest"] == 480
    assert "max_hight: this key is unknown" in by_name["broken"]["error"]
    text = told(tmp_path, directory)
    assert "max_hight: this key is unknown" in " ".join(text.split())
    for name in presets.names():
        assert f"\n{name} " in text


def test_explains_one(tmp_path: Path, directory: Path) -> None:
    text = told(tmp_path, directory, "mine")
    lines = [line.split() for line in text.splitlines()]
    assert ["480p", "23.0", "1500"] in lines
    assert ["max_rate", "30", "web", f"({directory}/web.yaml)"] in [line[:4] for line in lines]
    assert ["max_height", "2160", "web", "(built", "in)"] in [line[:5] for line in lines]
    assert ["silence", "true", "mine"] in [line[:3] for line in lines]
    assert ["options", "tune:", "film", "mine"] in [line[:4] for line in lines]
    assert "h264.rungs, from web (built in)" in text
    assert "(keys: target, ceiling, range, floor)" in " ".join(text.split())


def test_each_value_is_that_of_the_file_it_names(directory: Path) -> None:
    for name in ["mine", *presets.names()]:
        found = explain(name, directory)
        for key in found.keys:
            if key.file is None:
                continue
            said: Any = yaml.safe_load(key.file.read_text("utf-8"))
            said.setdefault("description", f"Like {said.get('extends')}, with changes.")
            for part in key.name.split("."):
                said = said[part]
            if isinstance(key.value, list) and key.name.endswith("rungs"):
                assert [rung["height"] for rung in key.value] == [rung["height"] for rung in said]
            else:
                known = "none" if key.value is None else key.value
                assert known == said or known == f"{said}/1", key


def test_what_is_taken_away_is_from_no_file_behind_it(tmp_path: Path) -> None:
    (tmp_path / "without.yaml").write_text("extends: web+\nhevc: none\n")
    rungs = "[{height: 720, crf: 26, maxrate: 2000}]"
    (tmp_path / "again.yaml").write_text(f"extends: without\nhevc: {{preset: slow, threads: 2, rungs: {rungs}}}\n")
    files = {key.name: key.file for key in explain("again", tmp_path).keys}
    assert files["hevc.preset"] == tmp_path / "again.yaml"
    assert files["hevc.options"] is None
    assert {key.name: key.file for key in explain("without", tmp_path).keys}["hevc"] == tmp_path / "without.yaml"


def test_every_key_has_a_meaning() -> None:
    tables: list[type[BaseModel]] = [Preset, *FamilyPreset.__subclasses__()]
    while tables:
        table = tables.pop()
        for name, field in table.model_fields.items():
            assert name == "name" or len(meaning(table, name)) > 10, (table, name)  # type: ignore[arg-type]
            parts = [field.annotation, *getattr(field.annotation, "__args__", ())]
            tables += [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]


def test_unknown(tmp_path: Path) -> None:
    done = run(tmp_path / "home", "presets", "best")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("video-pipeline: preset 'best' is unknown; there are 1080p, ")
