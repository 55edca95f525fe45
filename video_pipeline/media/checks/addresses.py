"""Checks of the manifests: every reference leads somewhere, and every stated bit rate is true."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path, PurePosixPath

import m3u8
from lxml import etree

from video_pipeline.media import hls
from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.tracks import verdict
from video_pipeline.media.dash import NS
from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline.media.model import CheckResult, EncodingPlan, Streams

WITHIN = Fraction(10, 100)
"""Apple's authoring specification, 9.8 and 9.9: within 10 % of what is measured."""
Problem = tuple[str, str]


def references(plan: EncodingPlan, streams: Streams, media: Mapping[str, Path]) -> CheckResult:
    """Every URI of every manifest exists, every byte range lies in its file, and the lengths add up to the plan."""
    sizes = {f"{file.file.sha256}.mp4": media[file.name].stat().st_size for file in streams.media}
    wrong: list[Problem] = []
    count = 0
    for path, text in streams.texts.items():
        if path == MASTER:
            found = list(_master(path, text, streams))
        elif path == MPD:
            found = list(_mpd(path, text, sizes))
        else:
            found = list(_playlist(path, text, sizes, plan))
        count += text.count(".mp4") + text.count(".m3u8")
        wrong += found
    for needed in (MASTER, MPD):
        if needed not in streams.texts:
            wrong.append((needed, "is missing"))
    return verdict(
        "references", wrong, f"{count} references in {len(streams.texts)} manifests exist with their lengths"
    )


def _master(path: str, text: str, streams: Streams) -> Iterable[Problem]:
    master = m3u8.loads(text)
    for entry in [*master.media, *master.playlists, *master.iframe_playlists]:
        if f"hls/{entry.uri}" not in streams.texts:
            yield path, f"names {entry.uri}, which is not in the release"


def _playlist(path: str, text: str, sizes: Mapping[str, int], plan: EncodingPlan) -> Iterable[Problem]:
    playlist = m3u8.loads(text)
    total = sum((Fraction(str(segment.duration)) for segment in playlist.segments), Fraction(0))
    # Durations are written with three decimals.
    slack = Fraction(50, 1000) + Fraction(len(playlist.segments), 2000)
    if abs(total - plan.duration) > slack:
        yield path, f"its segments last {float(total):.3f} s, planned {float(plan.duration):.3f} s"
    end = 0
    for segment in playlist.segments:
        header, body = segment.init_section, segment
        _, last = _span(header.byterange, 0)
        yield from _inside(path, header.uri, (0, last), sizes)
        start, end = _span(body.byterange, end)
        yield from _inside(path, body.uri, (start, end), sizes)
    if not playlist.is_i_frames_only and playlist.segments:
        size = sizes.get(PurePosixPath(playlist.segments[-1].uri).name, 0)
        if end != size:
            yield path, f"its last segment ends at byte {end}, the file at {size}"


def _span(text: str, after: int) -> tuple[int, int]:
    """First byte and the one behind the last; without an offset a range follows the one before."""
    length, _, offset = text.partition("@")
    start = int(offset) if offset else after
    return start, start + int(length)


def _inside(path: str, uri: str, span: tuple[int, int], sizes: Mapping[str, int]) -> Iterable[Problem]:
    size = sizes.get(PurePosixPath(uri).name)
    if size is None or not uri.startswith("../../../media/"):
        yield path, f"names {uri}, which is not in the release"
    elif not 0 <= span[0] < span[1] <= size:
        yield path, f"names bytes {span[0]} to {span[1] - 1} of {uri}, which has {size}"


def _mpd(path: str, text: str, sizes: Mapping[str, int]) -> Iterable[Problem]:
    root = etree.fromstring(text.encode())
    for representation in root.iterfind(".//mpd:Representation", NS):
        base = representation.findtext("mpd:BaseURL", "", NS)
        size = sizes.get(PurePosixPath(base).name)
        if size is None or not base.startswith("../../../media/"):
            yield path, f"names {base}, which is not in the release"
            continue
        segments = representation.find("mpd:SegmentBase", NS)
        header = representation.find("mpd:SegmentBase/mpd:Initialization", NS)
        spans = [span.get(key, "") for span, key in ((header, "range"), (segments, "indexRange")) if span is not None]
        for span in spans:
            first, _, last = span.partition("-")
            if not (first.isdigit() and last.isdigit() and int(first) <= int(last) < size):
                yield path, f"names bytes {span} of {base}, which has {size}"
        if len(spans) != 2:
            yield path, f"says not where the index of {base} is"


def bandwidth(plan: EncodingPlan, streams: Streams, readings: Iterable[Reading]) -> CheckResult:
    """BANDWIDTH, AVERAGE-BANDWIDTH and @bandwidth are within 10 % of what the file weighs."""
    measured = {reading.name: _measure(plan, reading) for reading in readings if reading.packets}
    sound = measured.get("audio", (0, 0))
    wrong: list[Problem] = []
    worst = Fraction(0)

    def compare(path: str, what: str, stated: int | None, true: int) -> None:
        nonlocal worst
        off = abs(Fraction(stated or 0) / true - 1) if true else Fraction(1)
        worst = max(worst, off)
        if off > WITHIN:
            wrong.append((path, f"{what} says {stated}, measured {true} bit/s"))

    for variant in m3u8.loads(streams.texts.get(MASTER, "")).playlists:
        name = PurePosixPath(variant.uri).stem
        if name in measured:
            average, peak = measured[name]
            info = variant.stream_info
            compare(MASTER, f"AVERAGE-BANDWIDTH of {name}", info.average_bandwidth, average + sound[0])
            compare(MASTER, f"BANDWIDTH of {name}", info.bandwidth, peak + sound[1])
    if MPD in streams.texts:
        for representation in etree.fromstring(streams.texts[MPD].encode()).iterfind(".//mpd:Representation", NS):
            name = representation.get("id", "")
            if name in measured:
                compare(MPD, f"bandwidth of {name}", int(representation.get("bandwidth", "0")), measured[name][1])
    return verdict("bandwidth", wrong, f"stated bit rates are within {float(worst):.1%} of the measured ones")


def _measure(plan: EncodingPlan, reading: Reading) -> tuple[int, int]:
    """Average and peak bit rate by the bytes of the fragments, laid on the plan's segments."""
    length = plan.segment / plan.rate
    count = -(-plan.frames // plan.segment)
    sizes = [0] * count
    first = {packet.position: packet.time + packet.duration / 2 for packet in reversed(reading.packets)}
    positions = sorted(first)
    for offset, size in reading.fragments:
        inside = positions[bisect.bisect_left(positions, offset) :][:1]
        middle = first[inside[0]] if inside else Fraction(0)
        sizes[min(count - 1, max(0, int(middle / length)))] += size
    durations = [min(length, plan.duration - n * length) for n in range(count)]
    return hls.rates(sizes, durations, length)
