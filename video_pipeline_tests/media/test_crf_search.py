"""The search among videos that are known curves: it reaches its target in three probes at most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given

from video_pipeline.media.crf_search import find
from video_pipeline.media.targets import Probe
from video_pipeline.media.video_plan import RungPlan
from video_pipeline.presets.quality import Quality


@dataclass(frozen=True)
class Probed:
    all: Probe
    some: Probe


@dataclass
class Video:
    """Loses e^(a + b * CRF) VMAF at most sizes, more at small ones; under a ceiling no CRF below `capped` counts."""

    a: float
    b: float
    capped: float = 0
    partial: float = 0
    """VMAF by which a third of the samples are worse than all."""
    probes: list[tuple[str, float, bool]] = field(default_factory=list)
    done: list[float] = field(default_factory=list)

    def at(self, rung: RungPlan, crf: float) -> Probe:
        crf = max(crf, self.capped)
        vmaf = 101 - math.exp(self.a + self.b * crf) - (1080 - rung.height) / 30
        rate = rung.width * rung.height * 2 ** (-crf / 6) * 10
        return Probe(crf=crf, vmaf=min(100.0, max(0.0, vmaf)), bit_rate=max(1, round(rate)))

    def __call__(self, wanted: Sequence[tuple[RungPlan, float]], done: float, *, some: bool = False) -> list[Probed]:
        self.probes += [(rung.name, crf, some) for rung, crf in wanted]
        self.done.append(done)
        found = []
        for rung, crf in wanted:
            probe = self.at(rung, crf).model_copy(update={"crf": crf})
            part = probe.model_copy(update={"vmaf": min(100.0, max(0.0, probe.vmaf - self.partial))})
            found.append(Probed(part if some else probe, part))
        return found


def rungs(*heights: int, crf: float = 23) -> list[RungPlan]:
    return [
        RungPlan(name=f"{h}p", family="h264", width=h * 16 // 9, height=h, crf=crf, maxrate=1, bufsize=2)
        for h in heights
    ]


LADDER = rungs(1080, 720, 480)


def top(video: Video, wanted: Quality, step: float = 0.25) -> tuple[float, float]:
    """CRF found for the largest rung, and the VMAF it really has."""
    found = find(LADDER, wanted, 51, step, video)
    assert [rung.name for rung in found] == ["1080p", "720p", "480p"]
    assert len({rung.crf for rung in found}) == 1
    assert found[0].crf % step == 0
    assert sum(name == "1080p" for name, _, _ in video.probes) <= 3
    assert sum(name == "720p" for name, _, _ in video.probes) == 1
    assert video.done == sorted(video.done)
    assert video.done[-1] == 1
    return found[0].crf, video.at(LADDER[0], found[0].crf).vmaf


@given(st.floats(-6, 1), st.floats(0.1, 0.22), st.floats(-2, 2))
def test_a_target_within_reach_is_reached(a: float, b: float, partial: float) -> None:
    video = Video(a, b, partial=partial)
    assume(video.at(LADDER[0], 14.5).vmaf > 93 > video.at(LADDER[0], 31.5).vmaf)
    assert top(video, Quality(target=93))[1] == pytest.approx(93, abs=1.5)


def test_what_is_expected_is_what_there_is() -> None:
    video = Video(-1.7, 0.135)
    found = find(LADDER, Quality(target=93, floor=90), 51, 0.25, video)
    for rung, planned in zip(found, LADDER, strict=True):
        there = video.at(planned, rung.crf)
        assert rung.vmaf == pytest.approx(there.vmaf, abs=0.3)
        assert rung.bit_rate == pytest.approx(there.bit_rate, rel=0.05)
        assert rung.floor == pytest.approx(rung.vmaf - 3, abs=0.001)
    assert found[0].vmaf >= 93


def test_an_easy_video_gets_the_coarsest_crf_that_is_allowed() -> None:
    crf, vmaf = top(Video(-9, 0.1), Quality(target=93, range=6))
    assert crf == 29
    assert vmaf > 99


def test_a_video_beyond_its_ceiling_does_not_waste_bits() -> None:
    """Below CRF 25 nothing changes: VMAF stays at 87."""
    video = Video(-0.75, 0.135, capped=25)
    assert video.at(LADDER[0], 14).vmaf == video.at(LADDER[0], 25).vmaf < 90
    crf, vmaf = top(video, Quality(target=93))
    assert crf >= 15
    assert vmaf > video.at(LADDER[0], 14).vmaf - 1


def test_encoders_of_whole_crfs_get_such() -> None:
    crf, _ = top(Video(-1.7, 0.135), Quality(target=93), step=1)
    assert crf == int(crf)


def test_one_rung_is_enough() -> None:
    video = Video(-1.7, 0.135)
    (found,) = find(LADDER[:1], Quality(target=93), 51, 0.25, video)
    assert found.floor is None
    assert found.vmaf == pytest.approx(93, abs=0.3)
