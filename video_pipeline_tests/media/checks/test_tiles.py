"""Faults of sprite sheets, and of each of the three texts that tell players of their tiles."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline_tests.media.checks.faults import Fault, assert_only
from video_pipeline_tests.media.checks.test_pictures import FIRST, LAST, cropped, image, no_image
from video_pipeline_tests.media.release import Made

VTT, HLS = "sprites/sprites.vtt", "hls/sprites.m3u8"
PICTURES = frozenset({"picture_times"})
TIMES = ("sprite_tiles", "picture_times")
LENGTH = ("references", "bandwidth")


def vtt(change: Callable[[str], str], measured: str) -> Fault:
    return Fault(lambda made, _: made.with_vtt(change), VTT, measured)


def cue(number: int, without: str = "") -> Callable[[str], str]:
    """Takes one cue, counted from 0, out of the text."""
    return lambda text: "\n\n".join(part for n, part in enumerate(text.split("\n\n")) if n != number + 1)


def said(path: str, pattern: str, new: str, measured: str, *also: str) -> Fault:
    """In one manifest, the first that matches."""
    changed = Fault(lambda made, _: made.with_text(path, lambda t: re.sub(pattern, new, t, count=1)), path, measured)
    return replace(changed, also=frozenset(also))


def exchanged(made: Made, _: Path) -> Made:
    """Two sheets in the playlist of HLS."""
    swapped = {"sheet-000": "sheet-001", "sheet-001": "sheet-000"}
    return made.with_text(HLS, lambda t: re.sub("sheet-00[01]", lambda found: swapped[found[0]], t))


def exchanged_cues(made: Made, _: Path) -> Made:
    swapped = {"sheet-000": "sheet-001", "sheet-001": "sheet-000"}
    return made.with_vtt(lambda t: re.sub("sheet-00[01]", lambda found: swapped[found[0]], t))


SPRITE_FAULTS = {
    "a row of tiles is missing": image(FIRST, cropped(0, 90), "480x90 pixels, 480x180 hold its tiles"),
    "a column of tiles is missing": image(LAST, cropped(160, 0), "320x180 pixels, 480x180 hold its tiles"),
    "a pixel is missing": image(FIRST, cropped(1, 0), "479x180 pixels"),
    "a sheet is cut off": image(FIRST, lambda content: content[: len(content) // 2], "is no picture: .*truncated"),
    "a sheet is no picture": image(LAST, lambda _: b"not a JPEG at all", "is no picture: cannot identify"),
    "a sheet is missing": Fault(no_image(LAST), LAST, "is no picture"),
    "a tile has no cue": vtt(cue(14), "15 tiles made, 14 named, 15 planned"),
    "a gap in time": vtt(
        lambda t: t.replace("00:00:00.400 -->", "00:00:00.500 -->"),
        r"the tile at 0\.500 s ends at 0\.800 s, planned 0\.400 to 0\.800 s",
    ),
    "a cue outside": vtt(
        lambda t: t.replace("xywh=320,90", "xywh=480,90", 1),
        r"the tile at 2\.000 s lies outside of sheet-000\.jpg \(480,90,160,90\)",
    ),
    "an unknown sheet": vtt(
        lambda t: t.replace(LAST, "sheet-009.jpg", 1), "is on sprites/sheet-009.jpg, which is not there"
    ),
    "two cues, one tile": Fault(
        lambda made, _: made.with_vtt(lambda t: t.replace("xywh=160,90", "xywh=0,90", 1)),
        VTT,
        r"is that of another time \(sheet-000\.jpg 0,90\)",
        frozenset({"picture_times"}),
    ),
    "ends early": vtt(
        lambda t: t.replace("--> 00:00:06.000", "--> 00:00:05.900"), r"ends at 5\.900 s, planned 5\.600 to 6\.000 s"
    ),
    "no WebVTT": vtt(lambda _: "404 Not Found", "15 tiles made, 0 named, 15 planned"),
    "two sheets exchanged in WebVTT": Fault(
        exchanged_cues,
        HLS,
        r"tile 0 is sheet-000\.jpg 0,0,160,90 .*, in sprites/sprites\.vtt tile 0 is sheet-001",
        PICTURES,
    ),
    "two sheets exchanged in HLS": Fault(
        exchanged, HLS, r"tile 0 is sheet-001\.jpg .*, in sprites/sprites\.vtt tile 0 is sheet-000", PICTURES
    ),
    "the last tile is missing in HLS": said(
        HLS, r"EXTINF:1\.200000", "EXTINF:0.800000", "15 tiles made, 14 named, 15 planned", *LENGTH
    ),
    "another layout in HLS": said(
        HLS, "LAYOUT=3x2", "LAYOUT=2x3", r"tile at 1\.600 s lies outside of sheet-000", "picture_times", "authoring"
    ),
    "larger tiles in HLS": said(
        HLS, "RESOLUTION=160x90", "RESOLUTION=160x92", r"lies outside .*\(0,92,160,92\)", "picture_times", "authoring"
    ),
    "shorter tiles in HLS": said(
        HLS, "DURATION=0.4", "DURATION=0.3", r"tile at 0\.000 s ends at 0\.300 s", "picture_times", "authoring"
    ),
    "a late sheet in HLS": said(
        HLS, r"(?s)EXTINF:2.4(.*)EXTINF:1.2", r"EXTINF:2.3\1EXTINF:1.3", r"tile at 2\.000 s ends at 2\.300 s", *PICTURES
    ),
    "another layout in DASH": said(
        MPD, 'value="3x2"', 'value="2x3"', r"tile 0 is sheet-000\.jpg 0,0,240,60", "picture_times", "descriptions"
    ),
    "wider sheets in DASH": said(
        MPD, 'width="480"', 'width="483"', r"outside .*\(322,0,161,90\)", "picture_times", "descriptions"
    ),
    "longer sheets in DASH": said(MPD, 'duration="60"', 'duration="62"', r"ends at 0\.413 s, planned 0", *PICTURES),
    "another clock in DASH": said(
        MPD,
        '(jpg" startNumber="0" timescale=)"25"',
        r'\1"24"',
        r"tile at 0\.417 s ends at",
        "picture_times",
        "bandwidth",
    ),
    "the last tile is missing in DASH": said(
        MPD, ' duration="PT6.0', ' duration="PT5.6', "15 tiles made, 14 named, 15 planned", "references"
    ),
}
REFERENCES = {
    "a sheet left out of HLS": said(
        HLS, r"#EXTINF:1.2.*\n.*\n.*\n", "", "does not name sprites/sheet-002.jpg", "sprite_tiles", "bandwidth"
    ),
    "an unknown sheet in HLS": said(
        HLS, LAST, "sheet-007.jpg", "names sprites/sheet-007.jpg", "sprite_tiles", "bandwidth"
    ),
    "HLS without end": said(HLS, "#EXT-X-ENDLIST", "", "has no end"),
    "a target too short": said(
        HLS, "TARGETDURATION:3", "TARGETDURATION:1", r"a sheet lasts 2\.400 s, target duration is 1 s", "bandwidth"
    ),
    "no images in the master": said(
        MASTER, "#EXT-X-IMAGE.*\n", "", "names no playlist of images", "authoring", "bandwidth", "sprite_tiles"
    ),
    "sheets from 1 in DASH": said(
        MPD,
        'startNumber="0"',
        'startNumber="1"',
        "names sprites/sheet-003.jpg",
        "sprite_tiles",
        "picture_times",
        "bandwidth",
    ),
    "sheets without length in DASH": said(
        MPD, 'duration="60"', 'duration="0"', "cannot be read", "sprite_tiles", "bandwidth"
    ),
    "another directory in DASH": said(
        MPD,
        r"\.\./sprites",
        "sprites",
        "names dash/sprites/sheet-000.jpg",
        "sprite_tiles",
        "picture_times",
        "bandwidth",
    ),
    "no images in DASH": said(
        MPD,
        '(?s)<AdaptationSet contentType="image".*?</AdaptationSet>',
        "",
        "does not name sprites/sheet-000",
        "sprite_tiles",
    ),
}


@pytest.mark.parametrize("fault", SPRITE_FAULTS.values(), ids=SPRITE_FAULTS)
def test_a_wrong_sprite_is_found(made: Made, tmp_path: Path, fault: Fault) -> None:
    assert_only("sprite_tiles", fault, made, tmp_path)


@pytest.mark.parametrize("fault", REFERENCES.values(), ids=REFERENCES)
def test_a_wrong_sheet_is_found(made: Made, tmp_path: Path, fault: Fault) -> None:
    assert_only("references", fault, made, tmp_path)


def test_a_tile_less_than_planned(made: Made) -> None:
    """The list and its cues agree with each other, but not with the plan."""
    fewer = replace(made, sprites=made.sprites.model_copy(update={"tiles": 14})).with_vtt(cue(14))
    failed = fewer.failed()
    assert set(failed) == {"sprite_tiles"}
    assert "14 tiles made, 14 named, 15 planned" in failed["sprite_tiles"].measured


@pytest.mark.parametrize(("field", "limit"), [("max_sheets", 2), ("max_sheet_bytes", 20_000)])
def test_more_than_allowed(made: Made, field: str, limit: int) -> None:
    images = made.plan.images.model_copy(update={field: limit})
    failed = replace(made, plan=made.plan.model_copy(update={"images": images})).failed()
    assert set(failed) == {"sprite_tiles"}
    assert re.search(r"3 sheets of \d+ bytes, \d+ of \d+ are allowed", failed["sprite_tiles"].measured)
