"""Known patches through plan and encode, against colour by the book (`colorimetry`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import colorimetry
from video_pipeline_tests.media.colorimetry import Array
from video_pipeline_tests.media.patches import FFV1, LIGHT, SIGNAL, TAGS, check, picture, published, write
from video_pipeline_tests.media.release import Made

X264 = ("-c:v", "libx264", "-qp", "0", "-preset", "ultrafast")


@pytest.mark.parametrize(
    ("matrix", "primaries", "full", "bits", "stored"),
    [
        ("bt709", "bt709", False, "", "yuv444p"),
        ("bt709", "bt709", False, "", "yuv420p"),
        ("bt709", "bt709", True, "", "yuv420p"),
        ("bt709", "bt709", True, "10le", "yuv422p"),
        ("bt709", "bt709", False, "12le", "yuv444p"),
        ("bt470bg", "bt470bg", False, "", "yuv420p"),
        ("bt470bg", "bt470bg", True, "10le", "yuv444p"),
        ("smpte170m", "smpte170m", False, "", "yuv422p"),
        ("smpte170m", "smpte170m", True, "", "yuv420p"),
        ("bt2020nc", "bt2020", False, "10le", "yuv420p"),
        ("bt2020nc", "bt2020", False, "10le", "yuv422p"),
        ("bt2020nc", "bt2020", True, "12le", "yuv444p"),
        ("bt709", "smpte432", False, "10le", "yuv420p"),
    ],
)
def test_standard_light(
    tools: Tools, tmp_path: Path, matrix: str, primaries: str, full: bool, bits: str, stored: str
) -> None:
    signal = by_primaries(primaries)
    tags = f"setparams=range={'full' if full else 'limited'}:colorspace={matrix}:color_primaries={primaries}"
    tags += f",format={stored}{bits}"  # halves the chroma in whole blocks of one patch, and does nothing else
    codes = picture(signal, f"yuv444p{bits}", matrix, full=full)
    clip = write(tools, tmp_path / "clip.mkv", codes, f"yuv444p{bits}", tags, *FFV1)
    check(published(tools, clip, tmp_path), colorimetry.between(primaries, "bt709", signal**colorimetry.DISPLAY))


@pytest.mark.parametrize(
    ("size", "matrix", "primaries"),
    [
        ((720, 576), "bt470bg", "bt709"),
        ((720, 480), "smpte170m", "bt709"),
        ((1280, 720), "bt709", "bt709"),
        ((1280, 536), "bt709", "bt709"),
        ((416, 736), "bt709", "bt709"),
    ],
)
def test_what_says_nothing_is_guessed_by_its_size(
    tools: Tools, tmp_path: Path, size: tuple[int, int], matrix: str, primaries: str
) -> None:
    signal = by_primaries(primaries)
    codes = picture(signal, "yuv444p", matrix, size=size)
    clip = write(tools, tmp_path / "clip.mp4", codes, "yuv444p", "format=yuv420p", *X264)
    assert "color_space" not in ffprobe.streams(tools, clip)[0]
    check(published(tools, clip, tmp_path), colorimetry.between(primaries, "bt709", signal**colorimetry.DISPLAY))


@pytest.mark.parametrize(
    ("name", "pix_fmt", "codec"),
    [
        ("clip.mov", "rgb24", ("-c:v", "png")),
        ("clip.mov", "rgb24", ("-c:v", "qtrle")),
        ("clip.mkv", "gbrp", FFV1),
        ("clip.mkv", "gbrp10le", FFV1),
        ("clip.mkv", "gbrp12le", FFV1),
        ("clip.mp4", "gbrp", ("-c:v", "libx264rgb", "-qp", "0")),
        ("clip.gif", "rgb24", ("-c:v", "gif")),
        ("clip.mov", "rgb24", ("-c:v", "rawvideo", "-pix_fmt", "bgr24")),
    ],
)
def test_rgb(tools: Tools, tmp_path: Path, name: str, pix_fmt: str, codec: tuple[str, ...]) -> None:
    bits = next((bits for bits in (10, 12) if str(bits) in pix_fmt), 8)
    codes = colorimetry.grid(np.rint(SIGNAL * (2**bits - 1)), 384, 256).astype(np.uint8 if bits == 8 else "<u2")
    if pix_fmt.startswith("gbr"):
        codes = codes[..., [1, 2, 0]]
    filters = "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none" if name.endswith("gif") else "null"
    check(published(tools, write(tools, tmp_path / name, codes, pix_fmt, filters, *codec), tmp_path), LIGHT)


@pytest.mark.parametrize(("pix_fmt", "bits"), [("gray", 8), ("gray10le", 10)])
def test_grey_is_full_range(tools: Tools, tmp_path: Path, pix_fmt: str, bits: int) -> None:
    grey = np.linspace(0, 1, 24)[:, None]
    codes = colorimetry.grid(np.rint(grey * (2**bits - 1)), 384, 256).astype(np.uint8 if bits == 8 else "<u2")
    clip = write(tools, tmp_path / "clip.mkv", codes, pix_fmt, "null", *FFV1)
    check(published(tools, clip, tmp_path), np.repeat(grey**colorimetry.DISPLAY, 3, 1))


def by_primaries(primaries: str) -> Array:
    """The patches as a signal of those primaries, as far as they can have them."""
    return np.asarray(colorimetry.between("bt709", primaries, LIGHT).clip(0, 1) ** (1 / colorimetry.DISPLAY))


def test_packaged_files_say_so_too(made: Made) -> None:
    for name, path in made.media.items():
        if name.startswith("h264"):
            said = ffprobe.streams(made.tools, path)[0]
            assert {key: said.get(key) for key in TAGS} == TAGS
            # Primaries, transfer and matrix of BT.709, limited range (ISO/IEC 14496-12, 12.1.5).
            _, box, rest = path.read_bytes()[:4096].partition(b"colrnclx")
            assert not box or rest[:7] == bytes((0, 1, 0, 1, 0, 1, 0))
