"""Rules of the Image Media Playlist (https://github.com/image-media-playlist/spec, version 0.4) and of DASH-IF's images
(IOP 4.3, 6.2.6, https://dashif.org/docs/DASH-IF-IOP-v4.3.pdf) that what we write can break."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import m3u8

from video_pipeline.media.checks.tile_forms import image_playlist
from video_pipeline.media.dash import NS, Element
from video_pipeline.media.manifests import MASTER

SCHEMES = ("http://dashif.org/guidelines/thumbnail_tile", "http://dashif.org/thumbnail_tile")
IMAGES = ("image/jpeg", "image/png")
HLS, DASH = "Image Media Playlist", "IOP 6.2.6"


def image_problems(texts: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Of HLS: where, which rule and what is wrong."""
    for one in m3u8.loads(texts[MASTER]).image_playlists:
        info = one.image_stream_info
        told = {"BANDWIDTH": info.bandwidth, "CODECS": info.codecs, "RESOLUTION": info.resolution}
        yield from ((MASTER, HLS, f"{one.uri} has no {name}") for name, value in told.items() if not value)
    path = image_playlist(texts)
    if path == MASTER or path not in texts:
        return  # `references` says it
    lines = texts[path].splitlines()
    if "#EXT-X-IMAGES-ONLY" not in lines:
        yield path, HLS, "there is no EXT-X-IMAGES-ONLY"
    if "#EXT-X-PLAYLIST-TYPE:VOD" not in lines:
        yield path, "Apple 8.6", "its type is not VOD"
    sheets = [n for n, line in enumerate(lines) if line and not line.startswith("#")]
    tiles = {line for line in lines if line.startswith("#EXT-X-TILES:")}
    if not all(lines[n - 1].startswith("#EXT-X-TILES:") for n in sheets):
        yield path, HLS, "there is no EXT-X-TILES before a sheet"
    if len(tiles) > 1:
        yield path, "Shaka Player", f"takes all sheets for those of the first EXT-X-TILES, there are {len(tiles)}"


def image_set_problems(adaptation: Element, profiles: set[str], on_demand: str) -> Iterator[tuple[str, str]]:
    """Of a set of images in DASH: rule and what is wrong.

    Args:
        profiles: of the whole MPD.
        on_demand: the profile that has no numbered segments.
    """
    own = set(adaptation.get("profiles", "").split(",")) - {""}
    if not own or on_demand in own or not own <= profiles:
        yield (
            "23009-1, 8.1",
            f"has the profiles {','.join(sorted(own)) or 'of the MPD'}, numbered segments need another",
        )
    if adaptation.get("mimeType") not in IMAGES:
        yield DASH, f"has the mimeType {adaptation.get('mimeType')}"
    for one in adaptation.iterfind("mpd:Representation", NS):
        yield from ((DASH, f"has no @{name}") for name in ("width", "height") if name not in one.attrib)
        told = [each for each in one.iterfind("mpd:EssentialProperty", NS) if each.get("schemeIdUri") in SCHEMES]
        if len(told) != 1 or not re.fullmatch(r"[1-9]\d*x[1-9]\d*", told[0].get("value", "")):
            yield DASH, "does not say how many tiles there are"
        template = one.find("mpd:SegmentTemplate", NS)
        if template is None or "duration" not in template.attrib or "$Number" not in template.get("media", ""):
            yield DASH, "has no SegmentTemplate with $Number$ and @duration"
