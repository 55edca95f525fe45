"""The three forms in which players are told of sprite tiles, read as players do: of the published texts alone."""

from __future__ import annotations

import itertools
import math
import posixpath
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePosixPath

import m3u8
from lxml import etree

from video_pipeline.media.checks.tracks import TICK
from video_pipeline.media.dash import NS, Element
from video_pipeline.media.manifests import MASTER, MPD

VTT = "sprites/sprites.vtt"
UNREADABLE = (ValueError, KeyError, TypeError, ZeroDivisionError, etree.LxmlError, SyntaxError)
"""What the libraries raise for a text that is none."""
Box = tuple[int, int, int, int]
"""Left and upper side, width and height, pixels."""


@dataclass(frozen=True)
class Tile:
    start: Fraction
    """Seconds, as the end."""
    end: Fraction
    sheet: str
    """Path inside the release."""
    box: Box

    @property
    def sheet_name(self) -> str:
        return PurePosixPath(self.sheet).name

    def like(self, other: Tile) -> bool:
        """But for the rounding of times."""
        apart = max(abs(self.start - other.start), abs(self.end - other.end))
        return (self.sheet, self.box) == (other.sheet, other.box) and apart <= TICK


@dataclass(frozen=True)
class Sheet:
    """An image of tiles, as a manifest has it: they lie row by row and last equally long."""

    path: str
    start: Fraction
    end: Fraction
    columns: int
    rows: int
    width: Fraction
    """Of a tile, as the height."""
    height: Fraction
    seconds: Fraction
    """Of a tile."""

    def tiles(self) -> Iterator[Tile]:
        for n in range(self.columns * self.rows):
            start = self.start + n * self.seconds
            if start > self.end - TICK:  # ends are rounded
                return
            x, y = n % self.columns * self.width, n // self.columns * self.height
            end = min(start + self.seconds, self.end)
            yield Tile(start, end, self.path, (int(x), int(y), int(self.width), int(self.height)))


def forms(vtt: str, texts: Mapping[str, str]) -> Iterator[tuple[str, list[Tile]]]:
    """Where it is said, and the tiles in order of time; what cannot be read is a matter of `references`.

    Args:
        texts: path inside the release to manifest.
    """
    yield VTT, list(of_vtt(vtt))
    for path in (image_playlist(texts), MPD):
        with suppress(*UNREADABLE):
            yield path, [tile for sheet in list(sheets_of(path, texts)) for tile in sheet.tiles()]


def image_playlist(texts: Mapping[str, str]) -> str:
    """The path of the HLS playlist of images that the master names first; the master's if it names none."""
    try:
        named = [one.uri for one in m3u8.loads(texts[MASTER]).image_playlists]
    except (ValueError, KeyError):
        return MASTER
    return _resolved(MASTER, named[0]) if named else MASTER


def of_vtt(text: str) -> Iterator[Tile]:
    for start, end, uri, *place in re.findall(r"(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)", text):
        x, y, width, height = map(int, place)
        yield Tile(_seconds(start), _seconds(end), _resolved(VTT, uri), (x, y, width, height))


def sheets_of(path: str, texts: Mapping[str, str]) -> Iterator[Sheet]:
    """The sheets that a manifest names.

    Raises:
        UNREADABLE: it says too little of them.
    """
    return _of_mpd(texts[path]) if path == MPD else _of_playlist(path, texts[path])


def _of_playlist(path: str, text: str) -> Iterator[Sheet]:
    """https://github.com/image-media-playlist/spec, 0.4: each tag is about the resource that follows."""
    start, lasts, said = Fraction(0), Fraction(0), ""
    for line in text.splitlines():
        tag, _, value = line.partition(":")
        if tag == "#EXTINF":
            lasts = Fraction(value.rstrip(","))
        elif tag == "#EXT-X-TILES":
            said = value
        elif line.strip() and not line.startswith("#"):
            attributes = dict(re.findall(r"([A-Z-]+)=([^,]+)", said))
            width, height = _pair(attributes["RESOLUTION"])
            seconds = Fraction(attributes["DURATION"])
            end = start + lasts
            yield Sheet(
                _resolved(path, line),
                start,
                end,
                *_pair(attributes["LAYOUT"]),
                Fraction(width),
                Fraction(height),
                seconds,
            )
            start, said = end, ""


def _of_mpd(text: str) -> Iterator[Sheet]:
    """DASH-IF IOP 4.3, 6.2.6: segments of equal length, of which the last ends with the period."""
    root = etree.fromstring(text.encode())
    for one in root.iterfind(".//mpd:AdaptationSet[@contentType='image']/mpd:Representation", NS):
        template, property_ = one.find("mpd:SegmentTemplate", NS), one.find("mpd:EssentialProperty", NS)
        if template is None or property_ is None:
            raise ValueError("no template or no layout")
        columns, rows = _pair(property_.get("value", ""))
        lasts = Fraction(template.get("duration", "0")) / Fraction(template.get("timescale", "1"))
        size = Fraction(int(one.get("width", "")), columns), Fraction(int(one.get("height", "")), rows)
        whole = _period(root)
        for n in range(math.ceil((whole - TICK) / lasts)):
            path = _resolved(MPD, numbered(template, n))
            end = min((n + 1) * lasts, whole)
            yield Sheet(path, n * lasts, end, columns, rows, *size, lasts / (columns * rows))


def numbered(template: Element, n: int) -> str:
    """The address of a segment, counted from 0 (ISO/IEC 23009-1, 5.3.9.4.4)."""
    number = int(template.get("startNumber", "1")) + n
    return re.sub(
        r"\$Number(?:%0(\d+)d)?\$", lambda found: f"{number:0{found[1] or 1}}", template.get("media", ""), count=1
    )


def _period(root: Element) -> Fraction:
    """Of one period without a duration of its own, that of the presentation."""
    text = root.get("mediaPresentationDuration", "")
    period = root.find("mpd:Period", NS)
    found = re.fullmatch(
        r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", text if period is None else period.get("duration", text)
    )
    hours, minutes, seconds = found.groups(default="0") if found else ("0", "0", "0")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)


def _pair(text: str) -> tuple[int, int]:
    first, second = text.split("x")
    return int(first), int(second)


def _resolved(path: str, uri: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), uri))


def _seconds(clock: str) -> Fraction:
    """Of a WebVTT time with hours; 0 for anything else."""
    found = re.fullmatch(r"(\d+):(\d\d):(\d\d\.\d{3})", clock)
    return int(found[1]) * 3600 + int(found[2]) * 60 + Fraction(found[3]) if found else Fraction(0)


def disagreements(one: list[Tile], other: list[Tile]) -> Iterator[tuple[int, Tile | None, Tile | None]]:
    """Number of a tile and what each says of it, where they differ."""
    for n, (mine, yours) in enumerate(itertools.zip_longest(one, other)):
        if mine is None or yours is None or not mine.like(yours):
            yield n, mine, yours
