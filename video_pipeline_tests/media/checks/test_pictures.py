"""Faults of pictures, planted in real JPEG files."""

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

POSTER, FIRST, LAST = "poster.jpg", "sheet-000.jpg", "sheet-002.jpg"


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


EMPTY_FAULTS = {
    "poster of another size": image(POSTER, cropped(2, 0), "638x360 pixels, 640x360 are listed"),
    "poster cut off": image(POSTER, lambda content: content[:-2000], "is no picture: .*truncated"),
    "poster is text": image(POSTER, lambda _: b"<html></html>", "is no picture: cannot identify"),
    "poster is empty": image(POSTER, lambda _: b"", "is missing or empty"),
    "poster is missing": Fault(no_image(POSTER), POSTER, "is no picture"),
}


@pytest.mark.parametrize("fault", EMPTY_FAULTS.values(), ids=EMPTY_FAULTS)
def test_a_wrong_picture_is_found(made: Made, tmp_path: Path, fault: Fault) -> None:
    assert_only("not_empty", fault, made, tmp_path)


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
