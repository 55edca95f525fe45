"""The whole search on a small clip: what it promises is what the encode then has, measured frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.media import encode, ffmpeg, per_title, probe, samples, vmaf
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.probing import Scores
from video_pipeline.media.tools import Tools
from video_pipeline.presets import Preset
from video_pipeline.presets.quality import Quality

TARGET, FLOOR = 85, 70


class Memory(dict[str, Scores]):
    def put(self, key: str, scores: Scores) -> None:
        assert key not in self
        self[key] = scores


class Searched:
    def __init__(self, tools: Tools, source: Path, directory: Path) -> None:
        self.tools, self.source, self.directory = tools, source, directory
        draft = presets.load("draft")
        self.preset: Preset = draft.model_copy(update={"quality": Quality(target=TARGET, floor=FLOOR, range=15)})
        self.bare = make_plan(probe.probe(tools, source), "0" * 64, self.preset)
        self.memory, self.told = Memory(), list[float]()
        self.plan = self.search(self.bare, self.told.append)

    def search(self, plan: EncodingPlan, tell: Callable[[float], None] | None = None) -> EncodingPlan:
        return per_title.search(
            self.tools, self.source, plan, self.preset, self.directory, self.memory, on_progress=tell
        )


@pytest.fixture(scope="module")
def searched(tools: Tools, make_clip: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Searched:
    return Searched(tools, make_clip("release.mp4", seconds=6, size="640x360"), tmp_path_factory.mktemp("searched"))


def test_rungs_turn_out_as_expected(searched: Searched, tmp_path: Path) -> None:
    plan, tools = searched.plan, searched.tools
    assert plan.quality is not None
    assert [rung.name for rung in plan.rungs] == ["h264-360p", "h264-240p"]
    assert {rung.crf for rung in plan.rungs} == {plan.quality.rungs[0].crf} != {23.0}
    ffmpeg.ffmpeg(tools, encode.command(searched.source, plan, plan.rungs, tmp_path))
    files = {rung.name: tmp_path / f"{rung.name}.mp4" for rung in plan.rungs}
    whole = samples.whole(plan)
    measured = vmaf.measure(tools, searched.source, plan, "h264", files, whole, tmp_path, size=plan.quality.size)
    for rung in plan.quality.rungs:
        assert measured[rung.name][0].mean == pytest.approx(rung.vmaf, abs=1.5)
        rate = files[rung.name].stat().st_size * 8 / float(plan.duration)
        assert rung.bit_rate == pytest.approx(rate, rel=0.15)
        assert rung.floor == pytest.approx(rung.vmaf - (TARGET - FLOOR), abs=0.01)
    assert measured["h264-360p"][0].mean == pytest.approx(TARGET, abs=1.5)


def test_what_was_probed_is_not_probed_again(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(ffmpeg, "ffmpeg", never)
    assert searched.search(searched.bare) == searched.plan
    with pytest.raises(AssertionError, match="a program was started"):
        searched.search(searched.bare.model_copy(update={"source_sha256": "1" * 64}))


def test_progress_rises_to_the_end(searched: Searched) -> None:
    assert searched.told == sorted(searched.told)
    assert searched.told[-1] == 1
    assert len(searched.told) > 4


def test_a_floor_alone_changes_no_rung(searched: Searched) -> None:
    gated = searched.preset.model_copy(update={"quality": Quality(floor=FLOOR)})
    plan = per_title.search(searched.tools, searched.source, searched.bare, gated, searched.directory, Memory())
    assert plan.quality is not None
    assert plan.model_copy(update={"quality": None}) == searched.bare
    assert plan.quality.rungs == ()
    assert plan.quality.checked


def test_without_a_wish_the_plan_stays(searched: Searched) -> None:
    plain = searched.preset.model_copy(update={"quality": None})
    plan = per_title.search(searched.tools, searched.source, searched.bare, plain, searched.directory, Memory())
    assert plan == searched.bare


def test_rungs_that_buy_nothing_are_left_out(searched: Searched) -> None:
    """One is hardly smaller than the other."""
    easy = searched.preset.model_copy(update={"quality": Quality(target=TARGET, ceiling=TARGET, range=15)})
    tiny = [
        rung.model_copy(update={"width": 636, "height": 358, "name": "h264-358p"}) for rung in searched.bare.rungs[:1]
    ]
    bare = searched.bare.model_copy(update={"rungs": (searched.bare.rungs[0], *tiny)})
    plan = per_title.search(searched.tools, searched.source, bare, easy, searched.directory, Memory())
    assert plan.quality is not None
    assert len(plan.rungs) == 1
    (left_out,) = plan.quality.left_out
    assert {left_out.name, plan.rungs[0].name} == {"h264-360p", "h264-358p"}
    assert any(char.isdigit() for char in left_out.why)
