"""The MPD is the same whatever order the packager's threads wrote it in."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from video_pipeline.media import dash
from video_pipeline_tests.media.release import LARGE, SMALL, Made

MPD = "dash/manifest.mpd"
DASH = "{urn:mpeg:dash:schema:mpd:2011}"


def set_of(kind: str, *names: str) -> str:
    """An adaptation set as the packager writes it."""
    inside = "".join(
        f'<Representation id="9" bandwidth="1"><BaseURL>{name}.mp4</BaseURL></Representation>' for name in names
    )
    return f'<AdaptationSet id="7" contentType="{kind}">{inside}</AdaptationSet>'


@pytest.mark.parametrize("names", [(SMALL, LARGE), (LARGE, SMALL)])
@pytest.mark.parametrize("sound_first", [False, True])
def test_order_ids_and_rates_are_fixed(made: Made, names: tuple[str, str], sound_first: bool) -> None:
    sets = [set_of("video", *names), set_of("audio", "audio-1")]
    body = "".join(reversed(sets) if sound_first else sets)
    text = f'<!-- made today --><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period id="0">{body}</Period></MPD>'
    address = {f"{name}.mp4": f"there/{name}.mp4" for name in (SMALL, LARGE, "audio-1")}
    peaks = {f"hls/{SMALL}.m3u8": 300, f"hls/{LARGE}.m3u8": 900, "hls/audio-1.m3u8": 100}
    root = ElementTree.fromstring(dash.manifest(text.encode(), address, made.plan, peaks))
    found = [(s.get("id"), s.get("contentType"), s.get("frameRate")) for s in root.iter(f"{DASH}AdaptationSet")]
    assert found == [("0", "video", "25"), ("1", "audio", None)]
    read = [(r.get("id"), r.get("bandwidth"), r.findtext(f"{DASH}BaseURL")) for r in root.iter(f"{DASH}Representation")]
    assert read == [
        (SMALL, "300", f"there/{SMALL}.mp4"),
        (LARGE, "900", f"there/{LARGE}.mp4"),
        ("audio-1", "100", "there/audio-1.mp4"),
    ]
    assert root.get("mediaPresentationDuration") == "PT6.000000S"


def test_attributes_are_in_order(made: Made) -> None:
    text = made.streams.texts[MPD]
    assert "<!--" not in text
    for tag in re.findall(r"<\w+ [^>]+>", text):
        names = [name for name in re.findall(r'([\w:]+)="', tag) if not name.startswith(("xmlns", "xsi"))]
        assert names == sorted(names), tag


def test_an_entity_is_not_expanded(made: Made) -> None:
    """An MPD is text from a program; a bomb of entities must not fill the memory."""
    bomb = '<!DOCTYPE MPD [<!ENTITY a "boom">]><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>&a;</BaseURL></MPD>'
    assert "boom" not in dash.readdressed(bomb, lambda uri: uri).split("<MPD")[1]
