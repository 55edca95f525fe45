"""The streams of a source as ffprobe lists them: which one is the video, and what each is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from video_pipeline.errors import SourceError
from video_pipeline.media import ffmpeg, refusals
from video_pipeline.media.listing import integer
from video_pipeline.media.technical import AudioStream, OtherStream, Rotation

Listed = dict[str, Any]
"""A stream as ffprobe writes it in JSON."""
MAX_SIDE = 32_768
"""Pixels."""
MOST_TAGS, MOST_TEXT = 200, 1000
"""Tags that are kept, and characters of each."""
STILL = ("attached_pic", "timed_thumbnails", "still_image")
"""Dispositions of pictures that are no video."""


def pick_video(name: str, streams: Sequence[Listed], packets: Mapping[int, int]) -> Listed:
    """The stream a player would show.

    Args:
        name: of the file, for errors.
        packets: of each candidate, how many it has; a track of one picture gives way to one that moves.

    Raises:
        SourceError: there is none, or none that can be decoded; says which.
    """
    known = candidates(name, streams)
    best = max(
        known,
        key=lambda stream: (
            packets.get(stream["index"], 1) > 0,
            packets.get(stream["index"], 1) > 1,
            _is(stream, "default"),
            _area(stream),
            -int(stream["index"]),
        ),
    )
    if _area(best) > ffmpeg.MAX_PIXELS or max(best["width"], best["height"]) > MAX_SIDE:
        raise SourceError(f"{name}: {refusals.of_size(best['width'], best['height'])}")
    return best


def candidates(name: str, streams: Sequence[Listed]) -> list[Listed]:
    """All that could be the video. Raises as `pick_video`."""
    videos = [stream for stream in streams if stream.get("codec_type") == "video"]
    moving = [stream for stream in videos if not any(_is(stream, what) for what in STILL)]
    sized = [stream for stream in moving if _area(stream) > 0]
    if not sized:
        held = sorted({stream.get("codec_type", "unknown") for stream in streams})
        if moving:
            raise SourceError(f"{name}: it has a video track, but no picture in it whose size can be read")
        if videos:
            raise SourceError(f"{name}: there is no video in it but a still picture (it holds {', '.join(held)})")
        raise SourceError(f"{name}: there is no video in it (it holds {', '.join(held) or 'no stream'})")
    known = [stream for stream in sized if stream.get("codec_name", "unknown") not in ("unknown", "none")]
    if not known:
        codec = sized[0].get("codec_tag_string", "?")
        raise SourceError(f"{name}: the video's codec ({codec}) is not supported: ffmpeg does not know it")
    return known


def is_audio(stream: Listed) -> bool:
    known = stream.get("codec_name", "unknown") not in ("unknown", "none")
    return stream.get("codec_type") == "audio" and known and bool(integer(stream.get("channels")))


def audio(stream: Listed) -> AudioStream:
    said = tags(stream)
    language = said.get("language")
    return AudioStream(
        index=stream["index"],
        codec=stream["codec_name"],
        channels=int(stream["channels"]),
        layout=stream.get("channel_layout"),
        sample_rate=integer(stream.get("sample_rate")) or 0,
        language=None if language in (None, "", "und") else language,
        title=said.get("title"),
        default=_is(stream, "default"),
        bit_rate=integer(stream.get("bit_rate")),
    )


def other(stream: Listed) -> OtherStream:
    said = tags(stream)
    return OtherStream(
        index=stream["index"],
        kind=stream.get("codec_type", "unknown"),
        codec=stream.get("codec_name"),
        language=said.get("language"),
        title=said.get("title"),
        default=_is(stream, "default"),
        forced=_is(stream, "forced"),
        hearing_impaired=_is(stream, "hearing_impaired") or _is(stream, "captions"),
    )


def tags(listed: Listed) -> dict[str, str]:
    """Of a stream, a chapter or the file: names in lower case, long texts and endless lists cut."""
    kept = list(listed.get("tags", {}).items())[:MOST_TAGS]
    return {key.lower()[:MOST_TEXT]: str(value)[:MOST_TEXT] for key, value in kept}


def side_data(stream: Listed, kind: str) -> Listed:
    """The stream's side data of this kind, empty if there is none."""
    return next((data for data in stream.get("side_data_list", []) if data.get("side_data_type") == kind), {})


def decoder(stream: Listed) -> str | None:
    """ffmpeg's own decoders of VP8 and VP9 leave out the transparency of WebM."""
    transparent = tags(stream).get("alpha_mode") == "1"
    return {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream["codec_name"]) if transparent else None


def orientation(stream: Listed) -> tuple[bool, Rotation]:
    """Whether a player mirrors the picture left to right, and by how many degrees clockwise it turns it then.

    The matrix is that of ISO/IEC 14496-12, 8.3.2: a point (x, y) goes to (a*x + c*y, b*x + d*y), y downwards. Any
    angle is taken as the nearest quarter turn, a matrix without area as none.
    """
    rows = str(side_data(stream, "Display Matrix").get("displaymatrix", "")).split()
    numbers = [number for number in map(integer, rows) if number is not None]
    if len(numbers) != 9:
        return False, 0
    a, b, c, d = (numbers[place] / 65536 for place in (0, 1, 3, 4))
    area = a * d - b * c
    if not 1e-6 < abs(area) < 1e6:
        return False, 0
    mirrored = area < 0
    if mirrored:
        a, b = -a, -b
    turns: tuple[Rotation, ...] = (0, 90, 180, 270)
    return mirrored, turns[round(math.degrees(math.atan2(b - c, a + d)) / 90) % 4]


def _is(stream: Listed, disposition: str) -> bool:
    return bool(stream.get("disposition", {}).get(disposition))


def _area(stream: Listed) -> int:
    return (integer(stream.get("width")) or 0) * (integer(stream.get("height")) or 0)
