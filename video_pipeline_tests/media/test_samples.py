"""Which parts stand for the whole."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from video_pipeline import presets
from video_pipeline.media import complexity, probe, samples
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.data())
def test_one_part_of_each_stretch(hard: list[float], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(hard)))
    places = samples.balanced(np.array(hard), count)
    for place, stretch in zip(places, np.array_split(np.arange(len(hard)), count), strict=True):
        assert place in stretch
    others = samples.balanced(np.array(hard), count, avoided=places)
    if 2 * count <= len(hard):
        assert not set(places) & set(others)


def test_together_they_are_as_hard_as_the_whole() -> None:
    """Also where evenly spaced ones would always meet the hard parts."""
    hard = np.array([100.0, 1, 1, 1] * 30)
    hard += np.arange(120) / 1000
    ranks = np.argsort(np.argsort(hard))
    for count in (6, 10, 15):
        places = samples.balanced(hard, count)
        assert ranks[places].mean() == pytest.approx(59.5, abs=8)
        assert 0 < np.mean(hard[places] > 50) < 0.5


def test_more_is_taken_of_longer_videos_but_a_smaller_share() -> None:
    lengths = [10, 60, 300, 3600]
    taken = [samples.seconds(length) for length in lengths]
    assert taken == sorted(taken)
    shares = [seconds / length for seconds, length in zip(taken, lengths, strict=True)]
    assert shares == sorted(shares, reverse=True)
    assert samples.seconds(5) >= 5
    assert samples.seconds(60) == pytest.approx(12)
    assert samples.seconds(300) < 20


@pytest.fixture(scope="module")
def plan(tools: Tools, clip: Path) -> EncodingPlan:
    return make_plan(probe.probe(tools, clip), "0" * 64, presets.load("draft"))


def test_hard_parts_are_found(tools: Tools, tmp_path: Path) -> None:
    """4 s of a plain colour, then 4 s of noise."""
    path = tmp_path / "halves.mp4"
    graph = "color=gray:s=160x90:r=25:d=4[a];color=gray:s=160x90:r=25:d=4,noise=alls=60:allf=t[b];[a][b]concat"
    argv = [
        str(tools.ffmpeg),
        "-v",
        "error",
        "-filter_complex",
        graph,
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        str(path),
    ]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=60)
    plan = make_plan(probe.probe(tools, path), "0" * 64, presets.load("draft"))
    hard = complexity.activity(tools, path, plan, 50)
    assert len(hard) == 4
    assert hard[2:].min() > 10 * hard[:2].max()
    trimmed = plan.model_copy(update={"skip": 50, "start": plan.start + 2, "frames": 150})
    assert complexity.activity(tools, path, trimmed, 50).tolist() == hard[1:].tolist()


def test_a_file_without_packets_is_evenly_hard(tools: Tools, plan: EncodingPlan, tmp_path: Path) -> None:
    (tmp_path / "none.mp4").write_bytes(b"nothing")
    assert complexity.activity(tools, tmp_path / "none.mp4", plan, 50).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("frames", "wanted"),
    [
        pytest.param(100, [(0, 50), (50, 50)], id="all of a short one"),
        pytest.param(130, [(0, 50), (50, 50), (100, 30)], id="a long rest counts"),
        pytest.param(115, [(0, 50), (50, 50)], id="a short rest does not"),
        pytest.param(7, [(0, 7)], id="less than a GOP"),
    ],
)
def test_whole_gops(tools: Tools, clip: Path, plan: EncodingPlan, frames: int, wanted: list[tuple[int, int]]) -> None:
    chosen, checked = samples.choose(tools, clip, plan.model_copy(update={"frames": frames}))
    assert [(sample.first, sample.frames) for sample in chosen] == wanted
    assert checked == chosen  # there are no others


def test_others_are_checked_than_searched(tools: Tools, make_clip: Callable[..., Path], plan: EncodingPlan) -> None:
    chosen, checked = samples.choose(tools, make_clip(), plan.model_copy(update={"frames": 50 * 60}))
    assert len(chosen) == len(checked) == 7
    assert not set(chosen) & set(checked)
