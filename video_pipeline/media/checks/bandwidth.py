"""The check that every stated bit rate is true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import PurePosixPath

import m3u8
import numpy as np
from lxml import etree

from video_pipeline.media import hls
from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.tile_forms import Sheet, image_playlist, sheets_of
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.dash import NS
from video_pipeline.media.image_products import Sprites, sheet_name
from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline.media.products import CheckResult, Streams

WITHIN = Fraction(10, 100)
"""Apple's authoring specification wants BANDWIDTH and AVERAGE-BANDWIDTH within 10 % of what is measured
(https://developer.apple.com/documentation/http-live-streaming/hls-authoring-specification-for-apple-devices)."""
Stated = tuple[str, str, "int | None", int]
"""Manifest, attribute and track, what it says, what was measured; both bit/s."""


def bandwidth(streams: Streams, readings: Sequence[Reading], sprites: Sprites) -> CheckResult:
    """BANDWIDTH, AVERAGE-BANDWIDTH and @bandwidth are within 10 % of what the files weigh."""
    wrong: list[Problem] = []
    worst = Fraction(0)
    try:
        measured = {r.name: _measure(r, _target(streams, r.name)) for r in readings if len(r.packets) and r.index}
        for path, what, stated, true in (
            *_hls(streams, readings, measured),
            *_dash(streams, measured),
            *_tiles(streams, sprites),
        ):
            off = abs(Fraction(stated or 0) / true - 1)
            worst = max(worst, off)
            if off > WITHIN:
                wrong.append((path, f"{what} says {stated}, measured {true} bit/s"))
    except (ValueError, TypeError, LookupError, ZeroDivisionError, etree.LxmlError, SyntaxError):
        # `references` says which text cannot be read.
        wrong.append((MASTER, "no bit rate can be read"))
    return verdict("bandwidth", wrong, f"stated bit rates are within {float(worst):.1%} of the measured ones")


def _hls(streams: Streams, readings: Iterable[Reading], measured: dict[str, tuple[int, int]]) -> Iterator[Stated]:
    master = m3u8.loads(streams.texts.get(MASTER, ""))
    groups: dict[str, list[tuple[int, int]]] = {}
    for rendition in master.media:
        groups.setdefault(rendition.group_id, []).append(measured.get(PurePosixPath(rendition.uri or "").stem, (0, 0)))
    shown = {PurePosixPath(variant.uri).stem for variant in master.playlists}
    # Sound that no group lists is a fault of `references`, not of the rates.
    unlisted = [rates for name, rates in measured.items() if name not in shown and not master.media]
    for variant in master.playlists:
        name = PurePosixPath(variant.uri).stem
        if name in measured:
            (average, peak), info = measured[name], variant.stream_info
            sound = groups.get(info.audio or "", unlisted)
            average += max((rate for rate, _ in sound), default=0)
            peak += max((rate for _, rate in sound), default=0)
            yield MASTER, f"AVERAGE-BANDWIDTH of {name}", info.average_bandwidth, average
            yield MASTER, f"BANDWIDTH of {name}", info.bandwidth, peak
    by_playlist = {f"{r.name}-iframes.m3u8": r for r in readings if r.name in measured}
    for pictures in master.iframe_playlists:
        if pictures.uri in by_playlist:
            average, peak = _measure_key_frames(
                by_playlist[pictures.uri], _target(streams, PurePosixPath(pictures.uri).stem)
            )
            info = pictures.iframe_stream_info
            yield MASTER, f"AVERAGE-BANDWIDTH of {pictures.uri}", info.average_bandwidth, average
            yield MASTER, f"BANDWIDTH of {pictures.uri}", info.bandwidth, peak


def _dash(streams: Streams, measured: dict[str, tuple[int, int]]) -> Iterator[Stated]:
    if MPD not in streams.texts:
        return
    for representation in etree.fromstring(streams.texts[MPD].encode()).iterfind(".//mpd:Representation", NS):
        name = representation.get("id", "")
        if name in measured:
            yield MPD, f"bandwidth of {name}", int(representation.get("bandwidth", "0")), measured[name][1]


def _tiles(streams: Streams, sprites: Sprites) -> Iterator[Stated]:
    """Of the sheets: in HLS as of any segments, in DASH the bits of the largest over what a full one lasts
    (DASH-IF IOP 4.3, 6.2.6)."""
    path = image_playlist(streams.texts)
    for one in m3u8.loads(streams.texts.get(MASTER, "")).image_playlists[:1] if path in streams.texts else ():
        sheets, target = list(sheets_of(path, streams.texts)), m3u8.loads(streams.texts[path]).target_duration
        sizes = [_weight(sheet, sprites) for sheet in sheets]
        average, peak = hls.rates(sizes, [sheet.end - sheet.start for sheet in sheets], Fraction(str(target)))
        yield MASTER, f"AVERAGE-BANDWIDTH of {one.uri}", one.image_stream_info.average_bandwidth, average
        yield MASTER, f"BANDWIDTH of {one.uri}", one.image_stream_info.bandwidth, peak
    if MPD in streams.texts:
        root, sheets = etree.fromstring(streams.texts[MPD].encode()), list(sheets_of(MPD, streams.texts))
        for each in root.iterfind(".//mpd:AdaptationSet[@contentType='image']/mpd:Representation", NS):
            lasts = sheets[0].seconds * sheets[0].columns * sheets[0].rows
            largest = max(_weight(sheet, sprites) for sheet in sheets)
            yield MPD, f"bandwidth of {each.get('id')}", int(each.get("bandwidth", "0")), round(8 * largest / lasts)


def _weight(sheet: Sheet, sprites: Sprites) -> int:
    """Bytes, as listed, by which `digests` holds the file; what is not there is a matter of `references`."""
    listed = {f"sprites/{sheet_name(n)}": blob.size for n, blob in enumerate(sprites.sheets)}
    return listed.get(sheet.path, 0)


def _target(streams: Streams, name: str) -> Fraction:
    """The target duration a playlist states: the measure of what counts as a peak."""
    return Fraction(str(m3u8.loads(streams.texts[f"hls/{name}.m3u8"]).target_duration))


def _measure(r: Reading, target: Fraction) -> tuple[int, int]:
    """Average and peak bit rate: the bytes of each segment over the time its packets last."""
    starts = [entry.offset for entry in r.index]
    segment = np.searchsorted(starts, r.packets["position"], side="right") - 1
    # Before time 0 lies what an AAC decoder needs to start and nobody hears; the manifests do not count it as time.
    heard = (r.packets["time"] + r.packets["duration"]).clip(0) - r.packets["time"].clip(0)
    ticks = np.bincount(segment.clip(0), weights=heard, minlength=len(starts))
    return hls.rates([entry.size for entry in r.index], [int(n) * r.time_base for n in ticks], target)


def _measure_key_frames(r: Reading, target: Fraction) -> tuple[int, int]:
    """The same of the key frames alone: each with the header of its fragment, until the next one."""
    keys = r.packets[r.keys]
    fragments = np.array([box.offset for box in r.boxes if box.kind == "moof"])
    before = fragments[np.searchsorted(fragments, keys["position"]) - 1]
    sizes = [int(size) for size in keys["position"] + keys["size"] - before]
    ends = [*keys["time"][1:], r.end / r.time_base]
    durations = [(int(end) - int(start)) * r.time_base for start, end in zip(keys["time"], ends, strict=True)]
    return hls.rates(sizes, durations, target)
