"""Every shape comes out upright, in square pixels, as ffmpeg itself shows the source."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from video_pipeline import presets
from video_pipeline.media import probe
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import encoding, release

DRAFT = presets.load("draft")
WEDGE = "geq=lum='40+150*X/W*(1-Y/H)+40*gt(X\\,W*3/4)*gt(Y\\,H*3/4)':cb=128:cr=128"
"""A picture that is another one after every turn and mirroring."""


def picture(
    tools: Tools, path: Path, size: str, *options: str, filters: str = WEDGE, codec: tuple[str, ...] = ("libx264",)
) -> Path:
    source = f"color=gray:size={size}:rate=25:duration=0.2,format=yuv420p,{filters}"
    release.run_ffmpeg(tools, "-f", "lavfi", "-i", source, "-c:v", *codec, *options, path)
    return path


def encoded(tools: Tools, clip: Path, directory: Path) -> tuple[EncodingPlan, Path]:
    """The plan and its largest rung."""
    plan = make_plan(probe.probe(tools, clip), "0" * 64, DRAFT)
    encoding.encode(tools, clip, plan, plan.rungs[:1], directory)
    return plan, directory / f"{plan.rungs[0].name}.mp4"


def apart(tools: Tools, one: Path, other: Path, frame: int = 0) -> int:
    """The largest difference of two pictures, as ffmpeg shows both."""
    shown = [np.frombuffer(ffprobe.pixels(tools, path, frame=frame), np.uint8).astype(int) for path in (one, other)]
    return int(abs(shown[0] - shown[1]).max())


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_the_eight_display_matrices(tools: Tools, tmp_path: Path, angle: int, mirrored: bool) -> None:
    plain = picture(tools, tmp_path / "plain.mp4", "320x180")
    clip = tmp_path / "turned.mp4"
    matrix = ["-display_rotation", str(angle), *(["-display_hflip"] if mirrored else [])]
    release.run_ffmpeg(tools, *matrix, "-i", plain, "-c", "copy", clip)
    plan, rung = encoded(tools, clip, tmp_path)
    assert (plan.rungs[0].width, plan.rungs[0].height) == ((320, 180) if angle % 180 == 0 else (180, 320))
    assert apart(tools, rung, clip) < 12
    if angle or mirrored:
        assert apart(tools, rung, plain) > 40
    assert "side_data_list" not in ffprobe.streams(tools, rung)[0]  # nothing turns it once more


@pytest.mark.parametrize(
    ("size", "sample", "shown"),
    [
        pytest.param("640x360", "1/1", (640, 360), id="square"),
        pytest.param("720x576", "64/45", (1024, 576), id="PAL 16:9"),
        pytest.param("720x480", "8/9", (720, 540), id="NTSC 4:3"),
        pytest.param("640x360", "2/3", (640, 540), id="narrow samples"),
        pytest.param("175x143", "1/1", (174, 142), id="odd"),
        pytest.param("1280x40", "1/1", (1280, 40), id="very wide"),
        pytest.param("40x1280", "1/1", (40, 1280), id="very tall"),
        pytest.param("16x16", "1/1", (16, 16), id="16x16"),
        pytest.param("1x1", "1/1", (16, 16), id="1x1"),
        pytest.param("320x180", "255/1", (320, 180), id="a sample aspect that is a mistake"),
    ],
)
def test_samples_become_square(
    request: pytest.FixtureRequest, tools: Tools, tmp_path: Path, size: str, sample: str, shown: tuple[int, int]
) -> None:
    clip = picture(
        tools, tmp_path / "clip.mkv", size, filters=f"{WEDGE},format=yuv444p,setsar={sample}", codec=("ffv1",)
    )
    plan, rung = encoded(tools, clip, tmp_path)
    assert (plan.rungs[0].width, plan.rungs[0].height) == shown
    (stream,) = ffprobe.streams(tools, rung)
    assert (stream["width"], stream["height"]) == shown
    assert Fraction(stream["sample_aspect_ratio"].replace(":", "/")) == 1
    assert apart(tools, rung, clip) < 20


def test_odd_sizes_with_half_samples_of_colour(tools: Tools, tmp_path: Path) -> None:
    clip = picture(tools, tmp_path / "clip.mkv", "175x143", codec=("ffv1",))
    plan, rung = encoded(tools, clip, tmp_path)
    assert (plan.rungs[0].width, plan.rungs[0].height) == (174, 142)
    assert apart(tools, rung, clip) < 20


def test_what_the_file_crops_is_not_shown(tools: Tools, tmp_path: Path) -> None:
    whole = picture(tools, tmp_path / "whole.mp4", "320x180")
    clip = tmp_path / "cropped.mp4"
    crop = "h264_metadata=crop_left=64:crop_right=16:crop_top=20:crop_bottom=12"
    release.run_ffmpeg(tools, "-i", whole, "-c", "copy", "-bsf:v", crop, clip)
    plan, rung = encoded(tools, clip, tmp_path)
    expected = picture(tools, tmp_path / "part.mp4", "320x180", "-vf", "crop=240:160:64:20")
    assert (plan.rungs[0].width, plan.rungs[0].height) == (240, 160)
    assert apart(tools, rung, expected) < 12


def test_a_change_of_size_in_mid_file_fits_in(tools: Tools, tmp_path: Path) -> None:
    """MPEG-TS of 320x180, then of 180x180: the second is shown whole, between bars.

    The first loses its last picture when ffmpeg reads two streams joined by their bytes."""
    parts = []
    for n, size in enumerate(("320x180", "180x180")):
        part = tmp_path / f"{n}.ts"
        source = f"color=white:size={size}:rate=25:duration=1,format=yuv420p"
        release.run_ffmpeg(tools, "-f", "lavfi", "-i", source, "-c:v", "mpeg2video", "-output_ts_offset", str(n), part)
        parts.append(part.read_bytes())
    clip = tmp_path / "both.ts"
    clip.write_bytes(b"".join(parts))
    plan, rung = encoded(tools, clip, tmp_path)
    assert plan.frames == 49
    assert len(ffprobe.frames(tools, rung)) == 49
    first, last = (np.frombuffer(ffprobe.pixels(tools, rung, frame=n), np.uint8).reshape(16, 16) for n in (5, 45))
    assert first.min() > 230
    assert last[:, 5:11].min() > 230
    assert last[:, [0, 1, 14, 15]].max() < 40


@pytest.mark.media
@pytest.mark.parametrize(
    "name",
    [
        "awkward/rot90_ios9_720p.mov",
        "awkward/rot270_568x320_3frames.mov",
        "awkward/rot180_vfr_phone_720p.mp4",
        "awkward/rot90_sar1-2_displaymatrix.mov",
        "awkward/sar16-11_pal_704x576_25s.mp4",
        "awkward/tiny_8x66_tall.webm",
        "awkward/multi_stsd_resolution_change.mp4",
        "natural/changi_4k_portrait_hevc_9s.mp4",
    ],
)
def test_real_clips_are_upright_and_whole(tools: Tools, media: Path, tmp_path: Path, name: str) -> None:
    plan = make_plan(probe.probe(tools, media / name), "0" * 64, DRAFT)
    encoding.encode(tools, media / name, plan, plan.rungs[-1:], tmp_path)
    rung = tmp_path / f"{plan.rungs[-1].name}.mp4"
    assert apart(tools, rung, media / name) < 40
    shown = subprocess.run(
        [
            str(tools.ffmpeg),
            "-hide_banner",
            "-i",
            str(media / name),
            "-vf",
            "showinfo",
            "-frames:v",
            "1",
            "-f",
            "null",
            "-",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    ).stderr
    line = next(line for line in shown.splitlines() if " sar:" in line)
    width, height = map(int, line.split(" s:")[1].split()[0].split("x"))
    sample = Fraction(line.split(" sar:")[1].split()[0]) or Fraction(1)
    ours = Fraction(plan.rungs[-1].width, plan.rungs[-1].height)
    assert abs(ours / (width * sample / height) - 1) < Fraction(2, min(plan.rungs[-1].width, plan.rungs[-1].height))
