"""Transparent pictures lie on the preset's colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import colorimetry
from video_pipeline_tests.media.colorimetry import Array
from video_pipeline_tests.media.patches import FFV1, SIGNAL, check, published, write

OPACITY = np.tile([1.0, 0.75, 0.5, 0.25, 0.0, 0.6], 4)[:, None]
TO_YUV = "scale=out_color_matrix=bt709:out_range=limited,format={}"
PRORES = ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le", "-color_primaries", "bt709")
VPX = ("-crf", "4", "-b:v", "20M", "-auto-alt-ref", "0")


def laid_over(opacity: Array, red: float, green: float, blue: float) -> Array:
    """Straight alpha, mixed as signals like in every browser."""
    return np.asarray((SIGNAL * opacity + np.array([red, green, blue]) * (1 - opacity)) ** colorimetry.DISPLAY)


def transparent(opacity: Array) -> Array:
    codes = np.rint(255 * np.concatenate([SIGNAL, opacity], 1))
    return colorimetry.grid(codes, 384, 256).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "filters", "codec", "worst"),
    [
        ("a.mov", "null", ("-c:v", "png"), 1.5),
        ("a.mov", "format=argb", ("-c:v", "qtrle"), 1.5),
        ("a.mkv", TO_YUV.format("yuva444p10le"), FFV1, 1.5),
        ("a.mkv", TO_YUV.format("yuva420p"), FFV1, 2.5),
        ("a.mov", TO_YUV.format("yuva444p10le"), (*PRORES, "-color_trc", "bt709", "-colorspace", "bt709"), 2.5),
        ("a.webm", TO_YUV.format("yuva420p"), ("-c:v", "libvpx-vp9", *VPX), 2.5),
        ("a.webm", "scale=out_color_matrix=bt601:out_range=limited,format=yuva420p", ("-c:v", "libvpx", *VPX), 3.5),
    ],
    ids=["png", "qtrle", "ffv1-10", "ffv1", "prores", "vp9", "vp8"],
)
@pytest.mark.parametrize(("over", "colour"), [("black", (0, 0, 0)), ("#20c040", (32 / 255, 192 / 255, 64 / 255))])
def test_straight_alpha(
    tools: Tools,
    tmp_path: Path,
    name: str,
    filters: str,
    codec: tuple[str, ...],
    worst: float,
    over: str,
    colour: tuple[float, float, float],
) -> None:
    clip = write(tools, tmp_path / name, transparent(OPACITY), "rgba", filters, *codec)
    check(published(tools, clip, tmp_path, alpha_over=over), laid_over(OPACITY, *colour), worst / 2, worst)


def test_gif(tools: Tools, tmp_path: Path) -> None:
    """A palette has one colour that is transparent."""
    opacity = (OPACITY > 0.4).astype(float)
    filters = "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none"
    clip = write(tools, tmp_path / "a.gif", transparent(opacity), "rgba", filters, "-c:v", "gif")
    check(published(tools, clip, tmp_path, alpha_over="white"), laid_over(opacity, 1, 1, 1))


def test_what_says_nothing_is_opaque(tools: Tools, tmp_path: Path) -> None:
    codes = transparent(np.ones((24, 1)))
    clip = write(tools, tmp_path / "a.mov", codes, "rgba", "null", "-c:v", "png")
    check(published(tools, clip, tmp_path, alpha_over="white"), SIGNAL**colorimetry.DISPLAY)
