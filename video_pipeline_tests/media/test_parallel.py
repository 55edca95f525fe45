from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.media import encode, parallel, probe
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools


@pytest.fixture(scope="module")
def clip(make_clip: Callable[..., Path]) -> Path:
    return make_clip(seconds=3, size="1280x720", cuts=False, audio=False)


@pytest.mark.parametrize("preset", ["web", "premium"])
def test_an_encoder_takes_no_more_memory_than_is_counted_for_it(
    tools: Tools, clip: Path, tmp_path: Path, preset: str
) -> None:
    about = probe.probe(tools, clip)
    plan = make_plan(about, "0" * 64, presets.load(preset))
    args = ["-benchmark", "-y", *encode.command(clip, plan, plan.rungs, tmp_path)]
    # A child begins with the most that its parent has ever taken (https://man7.org/linux/man-pages/man2/getrusage.2.html),
    # so its parent is a small one.
    argv: list[str | Path] = ["sh", "-c", '"$@"; exit', "sh", tools.ffmpeg, "-hide_banner", "-nostdin", *args]
    log = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stderr
    found = re.search(r"bench: maxrss=(\d+)KiB", log)
    assert found
    assert 0.3 < int(found[1]) * 1024 / parallel.memory_of(plan.rungs, about.video) < 1


def test_cores_and_memory_bound_how_many_run(tools: Tools, clip: Path) -> None:
    about = probe.probe(tools, clip)
    rungs = make_plan(about, "0" * 64, presets.load("web")).rungs
    one = parallel.memory_of(rungs, about.video)
    counts = {cores: parallel.at_once(rungs, about.video, cores, 100 * one) for cores in (0.5, 1, 2, 4, 16)}
    assert counts == {0.5: 1, 1: 1, 2: 2, 4: 3, 16: 9}
    assert [parallel.at_once(rungs, about.video, 16, share * one) for share in (0.2, 1.5, 3.5)] == [1, 1, 3]


def test_a_control_group_bounds_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "CGROUP", tmp_path)
    cores, memory = parallel.host_cores(), parallel.host_memory()
    assert cores >= 1
    assert memory > 2**30
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert (parallel.host_cores(), parallel.host_memory()) == (cores, memory)
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text(f"{2**30}\n")
    assert (parallel.host_cores(), parallel.host_memory()) == (0.5, 2**30)
