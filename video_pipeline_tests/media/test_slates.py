"""Cards, credits and test cards are told from what is filmed; pictures are drawn here or taken from real clips."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from video_pipeline.media.slates import drawn
from video_pipeline.media.tools import Tools

WIDTH, HEIGHT = 426, 240
Pixels = npt.NDArray[Any]


def frame(tools: Tools, *source: str, filters: str = "null") -> Pixels:
    """One picture of what ffmpeg reads."""
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", *source, "-frames:v", "1"]
    argv += ["-vf", f"{filters},scale={WIDTH}:{HEIGHT}:flags=area,format=bgr24", "-f", "rawvideo", "-"]
    raw = subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).reshape(HEIGHT, WIDTH, 3)


def card(lines: list[str], ink: tuple[int, int, int], paper: tuple[int, int, int], scale: float = 0.8) -> Pixels:
    picture = np.full((HEIGHT, WIDTH, 3), paper, np.uint8)
    for n, text in enumerate(lines):
        cv2.putText(picture, text, (40, 60 + 22 * n), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)
    # As the smallest rung has it.
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    opened = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert opened is not None
    return opened


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(card(["A FILM", "by nobody"], (255, 255, 255), (0, 0, 0)), id="title"),
        pytest.param(
            card([f"Somebody {n} ... Gaffer" for n in range(8)], (255, 255, 255), (0, 0, 0), 0.5), id="credits"
        ),
        pytest.param(card(["Scene 12", "Take 3"], (20, 20, 20), (160, 200, 60)), id="slate"),
        pytest.param(card(["1. Why", "2. How", "3. When"], (120, 0, 0), (250, 250, 250)), id="slide"),
    ],
)
def test_cards(picture: Pixels) -> None:
    assert drawn(picture).startswith("a card or a screen: ")


@pytest.mark.parametrize("source", ["smptebars", "smptehdbars", "pal75bars", "testsrc", "testsrc2"])
def test_charts(tools: Tools, source: str) -> None:
    assert drawn(frame(tools, "-f", "lavfi", "-i", f"{source}=size={WIDTH}x{HEIGHT}")).startswith("a chart: ")


@pytest.mark.parametrize("source", ["smptehdbars", "pal75bars"])
def test_colour_bars_as_the_smallest_rung_has_them(tools: Tools, tmp_path: Path, source: str) -> None:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-f", "lavfi", "-i", f"{source}=size=1280x720:duration=0.2"]
    argv += ["-vf", f"scale={WIDTH}:{HEIGHT}", "-c:v", "libx264", "-threads", "1", str(tmp_path / "bars.mp4")]
    subprocess.run(argv, check=True, timeout=60)
    assert drawn(frame(tools, "-i", str(tmp_path / "bars.mp4"))).startswith("a chart: upright bars")


@pytest.mark.parametrize("source", ["mandelbrot", "gradients", "color=c=teal", "color=c=black"])
def test_other_pictures(tools: Tools, source: str) -> None:
    separator = ":" if "=" in source else "="
    assert drawn(frame(tools, "-f", "lavfi", "-i", f"{source}{separator}size={WIDTH}x{HEIGHT}")) == ""


@pytest.mark.media
def test_titles_and_credits_of_a_trailer(tools: Tools, media: Path) -> None:
    path = str(media / "natural" / "sintel_trailer_720p24_52s.mp4")
    for second, what in ((10.1, True), (44, True), (49.5, True), (7.2, False), (19.7, False), (27.7, False)):
        picture = frame(tools, "-ss", str(second), "-i", path, filters="crop=iw:544")
        assert bool(drawn(picture)) is what, second


@pytest.mark.media
def test_what_is_filmed(tools: Tools, media: Path) -> None:
    """Also with a chart's overlays, as games look, and in black and white."""
    names = "basketball bbb_720p bikes cockatoo croatia flower friday minecraft tos".split()
    for name in names:
        (path,) = (media / "natural").glob(f"{name}*")
        assert drawn(frame(tools, "-ss", "0.6", "-i", str(path))) == "", name
