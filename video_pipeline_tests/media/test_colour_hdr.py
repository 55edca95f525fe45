"""HDR through plan and encode, against the curve by the book: BT.2408's white, mobius above the knee."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from video_pipeline.errors import SourceError
from video_pipeline.media import colour, probe
from video_pipeline.media.plan import make_plan
from video_pipeline.media.technical import VideoStream
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import colorimetry
from video_pipeline_tests.media.colorimetry import Array
from video_pipeline_tests.media.patches import DRAFT, FFV1, LIGHT, check, off, picture, published, write

WHITE = 203
"""cd/m² of diffuse white in HDR (ITU-R BT.2408-7, 2.2)."""
MEAN, WORST = 0.5, 1.5
"""CIEDE2000 that HDR may be off the reference chain."""
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:lossless=1")
MASTERED = (
    HEVC[-1] + ":max-cll=4000,400:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,50)"
)
TRANSFERS = {"smpte2084": colorimetry.pq, "arib-std-b67": colorimetry.hlg}
RAMP = np.repeat(np.geomspace(0.5, 1000, 24)[:, None], 3, 1)
"""Greys, cd/m²."""


def hdr(tools: Tools, path: Path, nits: Array, transfer: str, pix_fmt: str, *codec: str) -> Path:
    """A clip of patches of this light by BT.709's primaries."""
    signal = TRANSFERS[transfer](colorimetry.between("bt709", "bt2020", nits)).clip(0, 1)
    codes = picture(signal, pix_fmt.replace("420", "444").replace("422", "444"), "bt2020nc")
    tags = f"setparams=range=limited:colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer},format={pix_fmt}"
    return write(tools, path, codes, pix_fmt.replace("420", "444").replace("422", "444"), tags, *codec)


def expected(nits: Array, peak: float = 1000) -> Array:
    """As `colour` says: BT.709's light with 203 cd/m² as white, its largest component bent by ffmpeg's "mobius", the
    others in proportion."""
    light = nits / WHITE
    largest = light.max(-1, keepdims=True).clip(1e-6)
    knee, top = 0.3, peak / WHITE
    a = -(knee**2) * (top - 1) / (knee**2 - 2 * knee + top)
    b = (knee**2 - 2 * knee * top + top) / (top - 1)
    bent = (b**2 + 2 * b * knee + knee**2) / (b - a) * (largest + a) / (largest + b)
    return np.asarray((light * np.where(largest <= knee, largest, bent) / largest).clip(0, 1))


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("white", [WHITE, 800])
@pytest.mark.parametrize(("name", "pix_fmt", "codec"), [("a.mkv", "yuv422p12le", FFV1), ("a.mp4", "yuv420p10le", HEVC)])
def test_patches(
    tools: Tools, tmp_path: Path, transfer: str, white: float, name: str, pix_fmt: str, codec: tuple[str, ...]
) -> None:
    clip = hdr(tools, tmp_path / name, LIGHT * white, transfer, pix_fmt, *codec)
    check(published(tools, clip, tmp_path), expected(LIGHT * white), MEAN, WORST)


def test_the_sources_own_peak_is_the_end_of_the_curve(tools: Tools, tmp_path: Path) -> None:
    nits = np.repeat(np.geomspace(0.5, 3900, 24)[:, None], 3, 1)
    clip = hdr(tools, tmp_path / "a.mp4", nits, "smpte2084", "yuv420p10le", *HEVC[:-1], f"{HEVC[-1]}:{MASTERED}")
    assert probe.probe(tools, clip).video.peak_luminance == 4000
    check(published(tools, clip, tmp_path), expected(nits, 4000), MEAN, WORST)


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_it_looks_like_the_same_scene_in_sdr(tools: Tools, tmp_path: Path, transfer: str) -> None:
    """Mid-tones are as a standard camera has them, white is near white, and highlights are still told apart."""
    clip = hdr(tools, tmp_path / "a.mkv", LIGHT * WHITE, transfer, "yuv444p12le", *FFV1)
    found = published(tools, clip, tmp_path)
    middle = LIGHT.max(1) < 0.3
    assert middle.sum() >= 8
    assert off(found, LIGHT)[middle].max() < 1.5
    white = found[18].mean() ** (1 / colorimetry.DISPLAY)
    assert 0.8 < white < 0.9
    # Hues of all patches that have one, degrees.
    (a, b), (c, d) = (colorimetry.lab(light)[:18, 1:].T for light in (LIGHT, found))
    turned = (np.degrees(np.arctan2(d, c) - np.arctan2(b, a)) + 180) % 360 - 180
    assert np.abs(turned).max() < 8, turned.round(1)
    ramp = published(tools, hdr(tools, tmp_path / "b.mkv", RAMP, transfer, "yuv444p12le", *FFV1), tmp_path)
    assert (np.diff(ramp[:, 1] ** (1 / colorimetry.DISPLAY)) > 1 / 255).all()


def test_colours_no_standard_display_has_are_not_turned(tools: Tools, tmp_path: Path) -> None:
    """BT.2020's own primaries: the nearest hue a standard display has, not black and not another one."""
    nits = colorimetry.between("bt2020", "bt709", np.tile(np.eye(3) * 150, (8, 1)))
    found = published(tools, hdr(tools, tmp_path / "a.mkv", nits, "smpte2084", "yuv444p12le", *FFV1), tmp_path)
    assert (found.argmax(1) == np.tile([0, 1, 2], 8)).all()
    assert (found.max(1) > 0.2).all()
    assert (np.sort(found, 1)[:, :2] < 0.05).all()


@pytest.mark.parametrize("transfer", [None, "smpte2084", "bt709"])
def test_dolby_vision_without_a_base_is_refused(tools: Tools, clip: Path, transfer: str | None) -> None:
    source = probe.probe(tools, clip)
    video = {"dolby_vision": 5, "dolby_vision_base": False, "color_transfer": transfer, "color_space": None}
    with pytest.raises(SourceError, match="Dolby Vision profile 5"):
        make_plan(source.model_copy(update={"video": source.video.model_copy(update=video)}), "0" * 64, DRAFT)


@pytest.mark.media
@pytest.mark.parametrize("name", ["hdr_hlg_dovi_1080p60_rot90.mov", "hdr_hlg_dovi_iphone_editlist_rot90.mp4"])
def test_dolby_vision_8_4_is_taken_as_its_hlg_base(tools: Tools, media: Path, name: str) -> None:
    video: VideoStream = probe.probe(tools, media / "awkward" / name).video
    assert (video.dolby_vision, video.dolby_vision_base) == (8, True)
    assert colour.colours(video) == colour.Colours("limited", "bt2020nc", "bt2020", "arib-std-b67")
