"""A source that is a rung already is taken as it is; one that only looks like it is encoded."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.media import probe
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.options import Options, Trim
from video_pipeline.media.pass_through import refused, why_not
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import release
from video_pipeline_tests.media.release import run_ffmpeg

PRESET = presets.load("draft").model_copy(update={"pass_through": True})
TAGGED = "setparams=range=limited:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
GRID = ("-g", "50", "-keyint_min", "50", "-sc_threshold", "0")
Make = Callable[..., Path]


@pytest.fixture(scope="module")
def make(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Make:
    def run(*args: str, graph: str = TAGGED, size: str = "426x240", name: str = "clip.mp4", crf: str = "34") -> Path:
        path = tmp_path_factory.mktemp("source") / name
        picture = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=5,{graph},format=yuv420p"]
        sound = ["-f", "lavfi", "-i", "sine=440:duration=5", "-c:a", "aac"]
        coded = ["-c:v", "libx264", "-preset", "fast", "-crf", crf, "-chroma_sample_location", "left"]
        run_ffmpeg(tools, *picture, *sound, *coded, *(args or GRID), path)
        return path

    return run


def packets(tools: Tools, path: Path) -> str:
    argv = [
        str(tools.ffmpeg),
        "-v",
        "error",
        "-i",
        str(path),
        "-map",
        "0:v",
        "-c",
        "copy",
        "-bsf:v",
        "h264_mp4toannexb",
    ]
    return subprocess.run([*argv, "-f", "md5", "-"], check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_its_packets_are_the_rung_and_all_checks_hold(tools: Tools, make: Make, tmp_path: Path, name: str) -> None:
    clip = make(name=name)
    made = release.make(tools, clip, tmp_path, PRESET)
    assert [(rung.name, rung.copied) for rung in made.plan.rungs] == [("h264-240p", True)]
    assert packets(tools, made.media["h264-240p"]) == packets(tools, clip)
    assert made.failed() == {}
    assert made.shown.frames == made.plan.frames == 125


@pytest.mark.parametrize(
    ("args", "options", "why"),
    [
        pytest.param(("-g", "25", "-sc_threshold", "0"), {}, "key frames", id="more key frames"),
        pytest.param(
            ("-g", "50", "-x264-params", "open-gop=1:scenecut=0:bframes=3"), {}, "key frames", id="open groups"
        ),
        pytest.param(GRID, {"graph": TAGGED.replace("bt709", "bt470bg")}, "colours", id="other colours"),
        pytest.param(GRID, {"graph": "null"}, "colours", id="no colours"),
        pytest.param(GRID, {"size": "480x264"}, "size or shape", id="another size"),
        pytest.param(GRID, {"graph": f"{TAGGED},setsar=4/3"}, "size or shape", id="no square pixels"),
        pytest.param(GRID, {"graph": f"{TAGGED},noise=alls=90:allf=t", "crf": "10"}, "bit rate", id="too many bits"),
    ],
)
def test_what_is_not_quite_it_is_encoded(
    tools: Tools, make: Make, args: tuple[str, ...], options: dict[str, str], why: str
) -> None:
    about = probe.probe(tools, make(*args, **options))
    plan = make_plan(about, "0" * 64, PRESET)
    small = plan.rungs[-1]
    assert not any(rung.copied for rung in plan.rungs)
    assert why in str(why_not(plan, small, about))
    assert [one.name for one in refused(plan, about)] == ([small.name] if small.width == about.video.width else [])


def test_a_part_of_it_is_encoded_and_so_is_all_unless_the_preset_says_so(tools: Tools, make: Make) -> None:
    about = probe.probe(tools, make())

    def copied(plan: EncodingPlan) -> list[bool]:
        return [rung.copied for rung in plan.rungs]

    assert copied(make_plan(about, "0" * 64, PRESET)) == [True]
    assert copied(make_plan(about, "0" * 64, PRESET, Options(trim=Trim(start=1, end=3)))) == [False]
    assert copied(make_plan(about, "0" * 64, presets.load("draft"))) == [False]
