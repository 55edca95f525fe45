"""What is wrong with the references of HLS playlists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import PurePosixPath

import m3u8
import numpy as np

from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.tracks import TICK, TOLERANCE
from video_pipeline.media.checks.verdict import Problem
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Streams

Files = Mapping[str, Sequence[Reading]]
"""Address to the tracks whose file it is: two that are the same byte for byte are one file."""


def master_problems(
    path: str, master: m3u8.M3U8, streams: Streams, media: Files, plan: EncodingPlan
) -> Iterable[Problem]:
    """Of the master: playlists it names that are not there, tracks it does not name, and sounds no variant plays."""
    sounds = {reading.name for readings in media.values() for reading in readings if not reading.is_video}
    entries = (*master.media, *master.playlists, *master.iframe_playlists, *master.image_playlists)
    named = [entry.uri for entry in entries]
    for uri in named:
        if f"hls/{uri}" not in streams.texts:
            yield path, f"names {uri}, which is not in the release"
    for file in streams.media:
        kinds = [f"{file.name}.m3u8"] + ([] if file.name in sounds or plan.whole else [f"{file.name}-iframes.m3u8"])
        for uri in kinds:
            if uri not in named:
                yield path, f"does not name {uri}"
    yield from ((path, problem) for problem in _group_problems(master))


def of_track(readings: Sequence[Reading], name: str | None) -> Reading:
    """The one of this name, else the first."""
    return next((reading for reading in readings if reading.name == name), readings[0])


def _group_problems(master: m3u8.M3U8) -> Iterable[str]:
    """RFC 8216, 4.3.4.1.1: names differ within a group, one is the default; each is of use to a variant."""
    groups: dict[str, list[m3u8.Media]] = {}
    for rendition in master.media:
        if rendition.type == "AUDIO":
            groups.setdefault(rendition.group_id, []).append(rendition)
    for group, members in groups.items():
        if len({one.name for one in members}) != len(members):
            yield f"names two sounds of group {group} alike"
        if (count := sum(one.default == "YES" for one in members)) != 1:
            yield f"has {count} default sounds in group {group}"
    wanted = {variant.stream_info.audio for variant in master.playlists}
    for group in sorted({name or "none" for name in wanted} ^ (set(groups) or {"none"})):
        yield f"sounds of group {group} and variants do not match"


def playlist_problems(path: str, playlist: m3u8.M3U8, media: Files, plan: EncodingPlan) -> Iterable[Problem]:
    """Of a media or I-frame playlist."""
    segments = playlist.segments
    total = sum((Fraction(str(segment.duration)) for segment in segments), Fraction(0))
    planned = plan.end(PurePosixPath(path).stem)
    if abs(total - planned) > TOLERANCE:
        yield path, f"its segments last {float(total):.3f} s, planned {float(planned):.3f} s"
    # RFC 8216, 4.3.3.1: rounded, no segment is longer.
    target = playlist.target_duration or 0
    if longest := [segment.duration for segment in segments if int(segment.duration + 0.5) > target]:
        yield path, f"a segment lasts {max(longest):.3f} s, target duration is {target} s"
    if not playlist.is_endlist:
        yield path, "has no end (EXT-X-ENDLIST)"
    uris = {segment.uri for segment in segments} | {segment.init_section.uri for segment in segments}
    unknown = sorted(uris - set(media))
    if unknown or len(uris) != 1:
        yield path, f"names {', '.join(unknown or sorted(uris)) or 'nothing'}, which is not the one file of this track"
        return
    reading = of_track(media[uris.pop()], name := PurePosixPath(path).stem.removesuffix("-iframes"))
    if reading.name != name:
        yield path, f"names the file of {reading.name}"
        return
    header = reading.bytes_of("moov")
    for segment in segments:
        if header is None or _span(segment.init_section.byterange, 0) != (0, header[1]):
            yield path, f"names bytes {segment.init_section.byterange} as header, which ends at {header and header[1]}"
            break
    check = _key_frame_ranges if playlist.is_i_frames_only else _segment_ranges
    yield from check(path, segments, reading)


def _segment_ranges(path: str, segments: m3u8.SegmentList, reading: Reading) -> Iterable[Problem]:
    """Each range is a segment of the file's own index, one behind the other up to the end of the file."""
    end = 0
    for n, segment in enumerate(segments):
        span = _span(segment.byterange, end)
        entry = reading.index[n] if n < len(reading.index) else None
        true = (entry.offset, entry.end) if entry else None
        if entry is None or span != true:
            yield path, f"segment {n} is bytes {_text(span)}, by the file {_text(true)}"
        elif abs(Fraction(str(segment.duration)) - entry.duration) > TICK:
            yield path, f"segment {n} lasts {segment.duration} s, in the file {float(entry.duration):.3f} s"
        end = span[1]
    if end != reading.size:
        yield path, f"its last segment ends at byte {end}, the file at {reading.size}"


def _key_frame_ranges(path: str, segments: m3u8.SegmentList, reading: Reading) -> Iterable[Problem]:
    """Each range starts with a fragment and holds all of its key frame."""
    starts = {box.offset for box in reading.boxes if box.kind == "moof"}
    keys = reading.packets[reading.keys]
    if len(keys) != len(segments):
        yield path, f"names {len(segments)} key frames, the file has {len(keys)}"
        return
    ends = keys["position"] + keys["size"]
    end = 0
    for n, segment in enumerate(segments):
        span = _span(segment.byterange, end)
        end = span[1]
        if span[0] not in starts or not span[0] < keys["position"][n] < ends[n] <= end:
            frame = (int(keys["position"][n]), int(ends[n]))
            yield path, f"key frame {n} is bytes {_text(span)}, by the file it is in {_text(frame)}"
    gaps = np.abs(np.diff(reading.times[reading.keys]) - [segment.duration for segment in segments][:-1])
    if np.any(gaps > float(TICK)):
        yield path, f"key frame {int(np.argmax(gaps))} lasts not until the next one"


def _span(text: str | None, after: int) -> tuple[int, int]:
    """First byte and the one behind the last; without an offset a range follows the one before (RFC 8216, 4.3.2.2)."""
    length, _, offset = (text or "0").partition("@")
    start = int(offset) if offset else after
    return start, start + int(length)


def _text(span: tuple[int, int] | None) -> str:
    return f"{span[0]} to {span[1] - 1}" if span else "none"
