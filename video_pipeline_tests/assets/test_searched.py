"""A video whose preset has a target: what the UI shows of the search, and that the result was measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from video_pipeline import cli_process, settings
from video_pipeline.settings import Settings

VIDEO = "searched"


def shown(home: Path, key: str) -> dict[str, object]:
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey([key]))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def rows(table: object) -> list[dict[str, object]]:
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(row.data) for row in table.records]


def test_the_search_is_shown_kept_and_checked(
    own_home: Settings, make_clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_home.home / "presets").mkdir()
    (own_home.home / "presets" / "mine.yaml").write_text("extends: draft\nquality: {target: 85, floor: 70}\n")
    monkeypatch.setenv("VIDEO_PIPELINE_PRESETS_DIR", str(own_home.home / "presets"))
    clip = make_clip(seconds=2, cuts=False)
    release = cli_process.run(settings.load(), VIDEO, source=str(clip), preset="mine", title=None)
    plan = shown(own_home.home, "encoding_plan")
    (expected,) = rows(plan["expected"])
    assert expected["rung"] == "h264-180p"
    assert expected["floor"] is not None
    assert plan["vmaf_target"] == 85
    assert plan["samples"] == 1
    report = json.loads(next((own_home.store).rglob("quality.json")).read_text())
    (floor,) = (check for check in report["checks"] if check["name"] == "vmaf_floor")
    assert floor["measured"].startswith("1 rungs in 1 parts; the nearest is ")
    assert len(list((own_home.store / "checkpoints" / "probe").iterdir())) >= 2
    assert release
