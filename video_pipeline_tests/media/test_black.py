from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline.media import black
from video_pipeline.media.model import EncodingPlan, Span
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.test_bitrate import plan


def spans(tools: Tools, path: Path, parts: str, seconds: float) -> tuple[Span, ...]:
    """Of gray video that is black where `parts` says so."""
    picture = f"color=gray:size=160x90:rate=25:duration={seconds},format=yuv420p"
    run_ffmpeg(tools, "-f", "lavfi", "-i", f"{picture},{parts}", "-c:v", "libx264", "-preset", "ultrafast", path)
    planned: EncodingPlan = plan(round(seconds * 25), Fraction(25))
    return black.detect(tools, path, planned)


def box(*when: tuple[float, float], area: str = "0:0:iw:ih") -> str:
    x, y, width, height = area.split(":")
    shape = f"drawbox=x={x}:y={y}:w={width}:h={height}:color=black:t=fill"
    return ",".join(f"{shape}:enable='between(t,{a},{b})'" for a, b in when)


def test_black_parts_are_found_to_the_frame(tools: Tools, tmp_path: Path) -> None:
    found = spans(tools, tmp_path / "v.mp4", box((0.99, 1.97), (3.19, 3.97)), 4)
    first, last = found
    assert [first.start, first.end, last.start] == pytest.approx([1, 2, 3.2], abs=0.001)
    assert 3.959 <= last.end <= 4


def test_all_black(tools: Tools, tmp_path: Path) -> None:
    (span,) = spans(tools, tmp_path / "v.mp4", box((0, 9)), 2)
    assert span.start == 0
    assert 1.959 <= span.end <= 2


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param("null", id="none"),
        pytest.param(box((0.99, 1.1)), id="3 frames, too short"),
        pytest.param(box((0.99, 1.9), area="0:0:iw:ih*0.9"), id="letters on black"),
        pytest.param("drawbox=color=0x303030:t=fill:w=iw:h=ih", id="dark gray"),
    ],
)
def test_what_is_not_black(tools: Tools, tmp_path: Path, parts: str) -> None:
    assert spans(tools, tmp_path / "v.mp4", parts, 3) == ()
