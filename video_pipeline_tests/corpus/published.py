"""A release as a player finds it: from its HLS master playlist to the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import m3u8
from lxml import etree

MPD = "{urn:mpeg:dash:schema:mpd:2011}"


@dataclass
class Rendition:
    playlist: Path
    file: Path
    seconds: float
    """By the playlist."""
    size: tuple[int, int] = (0, 0)
    """By the master playlist."""


@dataclass
class Track:
    file: Path
    language: str
    name: str
    channels: str
    default: bool


@dataclass
class Published:
    renditions: list[Rendition]
    """Largest first."""
    tracks: list[Track]
    subtitles: list[str]
    """Languages."""
    dash: dict[str, int] = field(default_factory=dict)
    """Number of representations by kind in the MPD, "video", "audio" and "text"."""
    missing: list[str] = field(default_factory=list)
    """Files that a manifest names and that are not there."""


def read(release: Path) -> Published:
    hls = release / "hls"
    master = m3u8.load(str(hls / "master.m3u8"))
    missing: list[str] = []
    sizes = {str(one.uri): one.stream_info.resolution for one in master.playlists}  # one uri in many groups of sound
    renditions = [_rendition(hls, uri, size, missing) for uri, size in sizes.items()]
    tracks, subtitles = [], []
    for one in master.media:
        if one.type == "AUDIO" and one.uri:
            heard = _rendition(hls, str(one.uri), (0, 0), missing)
            name, channels = one.name or "", one.channels or ""
            tracks.append(Track(heard.file, one.language or "und", name, channels, one.default == "YES"))
        elif one.type == "SUBTITLES":
            subtitles.append(one.language or "und")
            if not (hls / str(one.uri)).is_file():
                missing.append(str(one.uri))
    renditions.sort(key=lambda one: -one.size[0] * one.size[1])
    return Published(renditions, tracks, subtitles, _dash(release / "dash" / "manifest.mpd", missing), missing)


def _rendition(hls: Path, uri: str, size: tuple[int, int] | None, missing: list[str]) -> Rendition:
    playlist = hls / uri
    media = m3u8.load(str(playlist))
    file = (playlist.parent / str(media.segments[0].uri)).resolve()
    if not file.is_file():
        missing.append(str(media.segments[0].uri))
    return Rendition(playlist, file, sum(float(one.duration) for one in media.segments), size or (0, 0))


def _dash(path: Path, missing: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in etree.parse(str(path)).iter(f"{MPD}AdaptationSet"):
        kind = one.get("contentType") or str(one.get("mimeType", "")).split("/")[0]
        found[kind] = found.get(kind, 0) + len(one.findall(f"{MPD}Representation"))
        for base in one.iter(f"{MPD}BaseURL"):
            if not (path.parent / (base.text or "")).is_file():
                missing.append(base.text or "")
    return found
