"""A bar that moves a known way comes out whole, in order, at the right time: judged by where it is in each frame."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import woven
from video_pipeline_tests.media.woven import BFF, INTERLACED, MPEG2, TFF, X264

MOMENTS = 64
PROGRESSIVE = "setfield=prog"
NTSC, PAL = Fraction(60000, 1001), Fraction(50)
NEAR = 0.6
"""Pixels that compression may move the bar. The next moment has it 2 pixels on."""


def x264(order: str) -> tuple[str, ...]:
    return (*X264, *INTERLACED, "-x264-params", f"{order}=1")


def mpeg2(order: str) -> tuple[str, ...]:
    return (*MPEG2, *INTERLACED, "-field_order", order)


@dataclass(frozen=True)
class Case:
    name: str
    codec: tuple[str, ...]
    filters: str
    """Which field first the file says."""
    top_first: bool
    """Which one is."""
    rate: Fraction
    """Of the fields."""
    size: tuple[int, int]
    deinterlace: str = "field"

    def __str__(self) -> str:
        return f"{self.name}, {self.deinterlace}"


SMALL_PAL, SMALL_NTSC = (320, 576), (320, 480)
CASES = [
    Case("tff.ts", mpeg2("tt"), TFF, True, PAL, SMALL_PAL),
    Case("tff.ts", mpeg2("tt"), TFF, True, PAL, SMALL_PAL, "frame"),
    Case("bff.mpg", mpeg2("bb"), BFF, False, NTSC, SMALL_NTSC),
    Case("tff.mxf", mpeg2("tt"), TFF, True, PAL, (720, 576)),
    Case("tff.mp4", x264("tff"), TFF, True, PAL, SMALL_PAL),
    Case("bff.mkv", x264("bff"), BFF, False, NTSC, SMALL_NTSC),
    Case("bff.mkv", x264("bff"), BFF, False, NTSC, SMALL_NTSC, "frame"),
    Case("pal.dv", ("-c:v", "dvvideo"), BFF, False, PAL, (720, 576)),
    Case("ntsc.mov", ("-c:v", "dvvideo"), f"{BFF},format=yuv411p", False, NTSC, (720, 480)),
    Case("prores.mov", ("-c:v", "prores_ks", "-flags", "+ildct"), TFF, True, NTSC, SMALL_NTSC),
    Case("says bottom.mp4", x264("bff"), BFF, True, PAL, SMALL_PAL),
    Case("says bottom.mp4", x264("bff"), BFF, True, PAL, SMALL_PAL, "frame"),
    Case("says top.ts", mpeg2("tt"), TFF, False, PAL, SMALL_PAL),
    Case("says nothing.mp4", X264, PROGRESSIVE, True, PAL, SMALL_PAL),
    Case("says nothing.avi", ("-c:v", "mjpeg", "-q:v", "3"), PROGRESSIVE, False, NTSC, SMALL_NTSC),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fields(tools: Tools, tmp_path: Path, case: Case) -> None:
    pictures = woven.woven(woven.moments(MOMENTS, *case.size), top_first=case.top_first)
    assert woven.torn(pictures) > 1.5
    clip = woven.write(tools, tmp_path / case.name, pictures, str(case.rate / 2), case.filters, *case.codec)
    plan, frames = woven.published(tools, clip, tmp_path, deinterlace=case.deinterlace)
    every = 1 if case.deinterlace == "field" else 2
    assert plan.rate == case.rate / every
    assert len(frames) == MOMENTS // every
    # The first and the last field have a neighbour in time on one side only.
    found = woven.middles(frames, width=case.size[0])
    assert np.abs(found - woven.path_of(len(frames), Fraction(every)))[1:-1].max() < NEAR
    assert woven.torn(frames[1:-1]) < NEAR


@pytest.mark.parametrize("top_first", [True, False])
@pytest.mark.parametrize(("filters", "codec"), [("", MPEG2), (PROGRESSIVE, X264)], ids=["flagged", "unflagged"])
def test_telecined_film_gets_its_frames_back(
    tools: Tools, tmp_path: Path, top_first: bool, filters: str, codec: tuple[str, ...]
) -> None:
    order = ("tt", TFF) if top_first else ("bb", BFF)
    codec = codec if filters else mpeg2(order[0])
    pictures = woven.pulled_down(woven.moments(MOMENTS, 320, 480), top_first=top_first)
    assert len(pictures) == MOMENTS * 5 // 4
    name = "film.mp4" if filters else "film.ts"
    clip = woven.write(tools, tmp_path / name, pictures, "30000/1001", filters or order[1], *codec)
    plan, frames = woven.published(tools, clip, tmp_path)
    assert plan.rate == Fraction(24000, 1001)
    assert len(frames) == MOMENTS
    assert woven.torn(frames[1:-1]) < NEAR
    steps = np.diff(woven.middles(frames))[1:-2]
    assert np.abs(steps - woven.STEP).max() < NEAR, "each frame of the film comes once"
    assert np.abs(woven.middles(frames) - woven.path_of(MOMENTS))[1:-2].max() < woven.STEP + NEAR


def test_telecined_film_may_be_kept(tools: Tools, tmp_path: Path) -> None:
    pictures = woven.pulled_down(woven.moments(48, 320, 480))
    clip = woven.write(tools, tmp_path / "film.ts", pictures, "30000/1001", TFF, *mpeg2("tt"))
    plan, frames = woven.published(tools, clip, tmp_path, telecine="keep")
    assert (plan.rate, len(frames)) == (Fraction(60000, 1001), 120)
    assert woven.torn(frames[2:-2]) < NEAR


def test_film_by_repeated_fields_gets_its_rate_back(tools: Tools, tmp_path: Path) -> None:
    """As on DVDs: whole frames, and flags that tell a player to show them for two and three fields in turn."""
    whole = woven.moments(MOMENTS, 320, 480)
    raw = woven.write(tools, tmp_path / "film.m2v", whole, "24000/1001", TFF, *mpeg2("tt"), "-bf", "0")
    raw.write_bytes(_told_to_repeat(raw.read_bytes()))
    clip = tmp_path / "film.ts"
    woven.run(tools, ["-fflags", "+genpts", "-i", str(raw), "-c", "copy", str(clip)])
    plan, frames = woven.published(tools, clip, tmp_path)
    assert (plan.rate, len(frames)) == (Fraction(24000, 1001), MOMENTS)
    assert np.abs(woven.middles(frames) - woven.path_of(MOMENTS)).max() < NEAR


def _told_to_repeat(stream: bytes) -> bytes:
    """With the rate of television in its sequence headers, and repeat_first_field in every second picture (ISO/IEC
    13818-2, 6.2.2.1 and 6.2.3.1)."""
    data = bytearray(stream)
    place, number, top = data.find(b"\0\0\1"), 0, True
    while place >= 0:
        if data[place + 3] == 0xB3:
            data[place + 7] = data[place + 7] & 0xF0 | 4
        elif data[place + 3] == 0xB5 and data[place + 4] >> 4 == 8:
            repeated = number % 2 == 1
            data[place + 7] = data[place + 7] & 0x7D | top << 7 | repeated << 1
            data[place + 8] |= 0x80
            top ^= repeated
            number += 1
        place = data.find(b"\0\0\1", place + 4)
    return bytes(data)
