"""Faults of pictures and sprite sheets, planted in real JPEG files and WebVTT texts."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from video_pipeline_tests.media.checks.faults import Fault, assert_only
from video_pipeline_tests.media.release import LARGE, Made

POSTER, FIRST, LAST, VTT = "poster.jpg", "sheet-000.jpg", "sheet-002.jpg", "sprites.vtt"


def vtt(change: Callable[[str], str], measured: str) -> Fault:
    return Fault(lambda made, _: made.with_vtt(change), VTT, measured)


def image(name: str, change: Callable[[bytes], bytes], measured: str) -> Fault:
    return Fault(lambda made, directory: made.with_image(name, directory, change), name, measured)


def cropped(width: int, height: int) -> Callable[[bytes], bytes]:
    """Pixels off the right and the bottom side."""

    def change(content: bytes) -> bytes:
        picture = Image.open(io.BytesIO(content))
        out = io.BytesIO()
        picture.crop((0, 0, picture.width - width, picture.height - height)).save(out, "JPEG")
        return out.getvalue()

    return change


def no_image(name: str) -> Callable[[Made, Path], Made]:
    return lambda made, _: replace(made, images={key: path for key, path in made.images.items() if key != name})


def cue(number: int, without: str = "") -> Callable[[str], str]:
    """Takes one cue, counted from 0, out of the text."""
    return lambda text: "\n\n".join(part for n, part in enumerate(text.split("\n\n")) if n != number + 1)


SPRITE_FAULTS = {
    "a row of tiles is missing": image(FIRST, cropped(0, 90), "480x90 pixels, 480x180 hold its tiles"),
    "a column of tiles is missing": image(LAST, cropped(160, 0), "320x90 pixels, 480x90 hold its tiles"),
    "a pixel is missing": image(FIRST, cropped(1, 0), "479x180 pixels"),
    "a sheet is cut off": image(FIRST, lambda content: content[: len(content) // 2], "is no picture: .*truncated"),
    "a sheet is no picture": image(LAST, lambda _: b"not a JPEG at all", "is no picture: cannot identify"),
    "a sheet is missing": Fault(no_image(LAST), LAST, "is no picture"),
    "a tile has no cue": vtt(cue(14), "15 tiles and 14 cues, 15 planned"),
    "a gap in time": vtt(lambda t: t.replace("00:00:00.400 -->", "00:00:00.500 -->"), "a cue starts at 00:00:00.500"),
    "a cue outside": vtt(
        lambda t: t.replace("xywh=320,90", "xywh=480,90", 1), "00:00:02.000 lies outside of sheet-000"
    ),
    "an unknown sheet": vtt(lambda t: t.replace(LAST, "sheet-009.jpg", 1), "names sheet-009.jpg, which is not there"),
    "two cues, one tile": Fault(
        lambda made, _: made.with_vtt(lambda t: t.replace("xywh=160,90", "xywh=0,90", 1)),
        VTT,
        "shows the tile of another",
        frozenset({"picture_times"}),
    ),
    "ends early": vtt(lambda t: t.replace("--> 00:00:06.000", "--> 00:00:05.900"), "ends at 00:00:05.900, planned 6.0"),
    "no WebVTT": vtt(lambda _: "404 Not Found", "15 tiles and 0 cues, 15 planned"),
}
EMPTY_FAULTS = {
    "poster of another size": image(POSTER, cropped(2, 0), "638x360 pixels, 640x360 are listed"),
    "poster cut off": image(POSTER, lambda content: content[:-2000], "is no picture: .*truncated"),
    "poster is text": image(POSTER, lambda _: b"<html></html>", "is no picture: cannot identify"),
    "poster is empty": image(POSTER, lambda _: b"", "is missing or empty"),
    "poster is missing": Fault(no_image(POSTER), POSTER, "is no picture"),
}


@pytest.mark.parametrize("fault", SPRITE_FAULTS.values(), ids=SPRITE_FAULTS)
def test_a_wrong_sprite_is_found(made: Made, tmp_path: Path, fault: Fault) -> None:
    assert_only("sprite_tiles", fault, made, tmp_path)


@pytest.mark.parametrize("fault", EMPTY_FAULTS.values(), ids=EMPTY_FAULTS)
def test_a_wrong_picture_is_found(made: Made, tmp_path: Path, fault: Fault) -> None:
    assert_only("not_empty", fault, made, tmp_path)


def test_a_tile_less_than_planned(made: Made) -> None:
    """The list and its cues agree with each other, but not with the plan."""
    fewer = replace(made, sprites=made.sprites.model_copy(update={"tiles": 14})).with_vtt(cue(14))
    failed = fewer.failed()
    assert set(failed) == {"sprite_tiles"}
    assert "14 tiles and 14 cues, 15 planned" in failed["sprite_tiles"].measured


@pytest.mark.parametrize("name", [FIRST, LAST])
def test_an_empty_sheet_is_both(made: Made, tmp_path: Path, name: str) -> None:
    failed = made.with_image(name, tmp_path, lambda _: b"").failed()
    assert set(failed) == {"sprite_tiles", "not_empty", "digests"}
    assert {result.subject for result in failed.values()} == {name}


@pytest.mark.parametrize("path", [f"hls/{LARGE}.m3u8", "hls/master.m3u8", "dash/manifest.mpd"])
def test_an_empty_manifest_is_named(made: Made, path: str) -> None:
    failed = made.with_text(path, lambda _: " \n").failed()
    assert failed["not_empty"].subject == path
    assert re.fullmatch(f"{path}: is empty", failed["not_empty"].measured)
