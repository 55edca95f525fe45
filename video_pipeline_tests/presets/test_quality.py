"""What a preset may want of quality, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.errors import RequestError


def test_only_per_title_searches() -> None:
    wanting = {name: quality for name in presets.names() if (quality := presets.load(name).quality)}
    assert list(wanting) == ["per-title"]
    assert (wanting["per-title"].target, wanting["per-title"].floor) == (93, 88)


def test_a_preset_may_measure_without_searching_and_take_a_search_back(tmp_path: Path) -> None:
    (tmp_path / "gated.yaml").write_text("extends: web\nquality: {floor: 80}\n")
    (tmp_path / "plain.yaml").write_text("extends: per-title\nquality: none\n")
    gated = presets.load("gated", tmp_path).quality
    assert gated is not None
    assert (gated.target, gated.floor) == (None, 80)
    assert presets.load("plain", tmp_path).digest == presets.load("web").digest
    assert presets.load("gated", tmp_path).digest != presets.load("web").digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{target: 0.93}", r"quality\.target: .*greater than or equal to 20, not 0\.93"),
        ("{target: 100}", r"quality\.target: .*less than or equal to 99"),
        ("{target: high}", r"quality\.target: .*'high'"),
        ("{target: 93, floor: 93}", r"quality: floor 93 must be below target 93"),
        ("{target: 93, ceiling: 90}", r"quality: ceiling 90 must not be below target 93"),
        ("{ceiling: 95}", r"quality: it needs a target, a floor, or both"),
        ("{floor: 80, ceiling: 95}", r"quality: ceiling needs a target"),
        ("{target: 93, metric: ssim}", r"quality\.metric: this key is unknown"),
        ("{target: 93, range: 0}", r"quality\.range: .*greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused_by_key(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.yaml").write_text(f"extends: web\nquality: {text}\n")
    with pytest.raises(RequestError, match=words):
        presets.load("bad", tmp_path)
