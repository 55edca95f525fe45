"""HLS playlists, read and written through the m3u8 library."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import PurePosixPath

import m3u8

from video_pipeline.media.model import AudioPlan
from video_pipeline.media.video_plan import VideoRange

FIRST_BITS = 2_000_000
"""Players start with the first variant listed. The largest one up to 2 Mbit/s shows a good picture at once on most
links and does not stall; Apple advises a default of that rate for Wi-Fi
(https://developer.apple.com/documentation/http-live-streaming/hls-authoring-specification-for-apple-devices)."""


UNKNOWN_LANGUAGE = "und"
"""Of BCP 47."""


def media_playlist(
    text: str,
    address: Mapping[str, str],
    durations: Sequence[Fraction],
    spans: Sequence[tuple[int, int]] | None = None,
) -> str:
    """The packager's media playlist with every URI replaced by `address`, without its comments.

    `durations` are those of the file's own index: the packager rounds to milliseconds, which adds up to 157 ms in an
    hour at 701/30 frames per second. `spans` are the size and first byte of each segment, if the packager's are not
    true any more.
    """
    playlist = m3u8.loads(text)
    for n, (segment, duration) in enumerate(zip(playlist.segments, durations, strict=True)):
        segment.duration = float(duration)
        if spans:
            segment.byterange = "{}@{}".format(*spans[n])
    return _text(_addressed(playlist, address))


def key_frame_playlist(text: str, address: Mapping[str, str], rate: Fraction) -> str:
    """The packager's I-frame playlist, likewise. It rounds to milliseconds what is a whole number of frames, and states
    the target duration of the media playlists, by which no peak could be told (RFC 8216, 4.1)."""
    playlist = m3u8.loads(text)
    for segment in playlist.segments:
        segment.duration = float(round(Fraction(str(segment.duration)) * rate) / rate)
    playlist.target_duration = math.ceil(max(segment.duration for segment in playlist.segments))
    return _text(_addressed(playlist, address))


def _addressed(playlist: m3u8.M3U8, address: Mapping[str, str]) -> m3u8.M3U8:
    for segment in playlist.segments:
        segment.init_section.uri = address[segment.uri]  # one section object may serve all segments
        segment.uri = address[segment.uri]
    return playlist


def bit_rates(text: str) -> tuple[int, int]:
    """Average and peak of a media playlist with byte ranges, bit/s, as `rates` defines them."""
    playlist = m3u8.loads(text)
    sizes = [int(segment.byterange.split("@")[0]) for segment in playlist.segments]
    durations = [Fraction(str(segment.duration)) for segment in playlist.segments]
    return rates(sizes, durations, Fraction(str(playlist.target_duration)))


def rates(sizes: Sequence[int], durations: Sequence[Fraction], target: Fraction) -> tuple[int, int]:
    """Average and peak bit rate of segments, bit/s.

    The peak is the largest rate of any run of segments that lasts 0.5 to 1.5 target durations (RFC 8216, 4.1); the
    whole, if none does.
    """
    bits = [0, *(8 * total for total in accumulate(sizes))]
    clock = [Fraction(0), *accumulate(durations)]
    average = bits[-1] / clock[-1]
    peak = Fraction(0)
    for start in range(len(sizes)):
        for end in range(start + 1, len(sizes) + 1):
            lasts = clock[end] - clock[start]
            if lasts > target * 3 / 2:
                break
            if lasts >= target / 2:
                peak = max(peak, (bits[end] - bits[start]) / lasts)
    return round(average), round(peak or average)


def master_playlist(
    text: str,
    media: Mapping[str, tuple[int, int]],
    sounds: Sequence[AudioPlan],
    *,
    ranges: Mapping[str, VideoRange] | None = None,
    first: Collection[str] = (),
) -> str:
    """The packager's master with true bit rates, the sounds as planned, and the variant to start with first.

    Surround is one more choice in the one group of sounds. In a group of its own, every picture would be listed once
    more with it, at a higher rate: hls.js 1.7 then takes the surround for the better picture, and stereo by turns.

    Args:
        media: path of a media playlist ("hls/<name>.m3u8") to its average and peak bit rate.
        sounds: as in the plan.
        ranges: of the rungs by name.
        first: rungs of which one is listed first; any, if empty.
    """
    master = m3u8.loads(text)
    _complete_sounds(master, sounds)
    rates = [media[f"hls/{one.uri}"] for one in master.media if one.type == "AUDIO"]
    for variant in master.playlists:
        average, peak = media[f"hls/{variant.uri}"]
        # RFC 8216, 4.3.4.2: with the largest sound that can go with it.
        variant.stream_info.average_bandwidth = average + max((average for average, _ in rates), default=0)
        variant.stream_info.bandwidth = peak + max((peak for _, peak in rates), default=0)
        rung = PurePosixPath(variant.uri).stem
        # The packager says nothing of VP9.
        variant.stream_info.video_range = (ranges or {}).get(rung, variant.stream_info.video_range)
    master.iframe_playlists[:] = [one for one in master.iframe_playlists if f"hls/{one.uri}" in media]
    for pictures in master.iframe_playlists:
        average, peak = media[f"hls/{pictures.uri}"]
        rung = PurePosixPath(pictures.uri).stem.removesuffix("-iframes")
        pictures.iframe_stream_info.video_range = (ranges or {}).get(rung, pictures.iframe_stream_info.video_range)
        pictures.iframe_stream_info.average_bandwidth = average
        pictures.iframe_stream_info.bandwidth = peak
    by_rate = sorted(master.playlists, key=lambda variant: -variant.stream_info.average_bandwidth)
    eligible = [variant for variant in by_rate if not first or PurePosixPath(variant.uri).stem in first]
    fitting = [variant for variant in eligible if variant.stream_info.average_bandwidth <= FIRST_BITS]
    start = fitting[0] if fitting else eligible[-1]
    by_rate.sort(key=lambda variant: variant is not start)
    master.playlists[:] = by_rate
    master.iframe_playlists.sort(key=lambda pictures: -pictures.iframe_stream_info.bandwidth)
    return _text(master)


def _complete_sounds(master: m3u8.M3U8, sounds: Sequence[AudioPlan]) -> None:
    """Names, languages and flags of the alternates, in the plan's order.

    A player may choose by itself only the first of each language: by language it could not tell the others from it
    (RFC 8216, 4.3.4.1).
    """
    order = [f"{sound.name}.m3u8" for sound in sounds]
    listed = sorted((one for one in master.media if one.uri in order), key=lambda one: order.index(one.uri))
    languages: set[str | None] = set()
    for rendition in listed:
        sound = sounds[order.index(rendition.uri)]
        # Apple's authoring specification, 8.10: LANGUAGE must be there.
        rendition.name, rendition.language = sound.label, sound.language or UNKNOWN_LANGUAGE
        rendition.default = "YES" if sound.default else "NO"
        rendition.autoselect = "NO" if sound.language in languages else "YES"
        languages.add(sound.language)
    master.media[:] = [*listed, *(one for one in master.media if one not in listed)]


def readdressed(text: str, address: Callable[[str], str]) -> str:
    """A master whose URIs are replaced."""
    master = m3u8.loads(text)
    scores = {address(uri): float(score) for score, *uris in _SCORE.findall(text) for uri in uris if uri}
    for group in (master.media, master.playlists, master.iframe_playlists, master.image_playlists):
        for entry in group:
            if entry.uri:
                entry.uri = address(entry.uri)
    return scored(_text(master), scores)


def one_family(text: str) -> str:
    """A master with the variants of its first one's family alone: for players that cannot change the codec while they
    play, such as Chromium's own (150, "Video codec changes not allowed")."""
    master = m3u8.loads(text)

    def family(variant: m3u8.Playlist | m3u8.IFramePlaylist) -> str:
        return PurePosixPath(variant.uri).name.split("-")[0]

    for listed in (master.playlists, master.iframe_playlists):
        listed[:] = [variant for variant in listed if family(variant) == family(master.playlists[0])]
    return _text(master)


_SCORE = re.compile(r'^#EXT-X-(?:I-FRAME-)?STREAM-INF:.*,SCORE=([\d.]+)(?:,URI="(.+)"|\n(.+))$', re.MULTILINE)
_PICTURES = re.compile(r'(?<=,)(URI="(.+)")$')


def scored(text: str, scores: Mapping[str, float]) -> str:
    """A master whose variants, those of key frames too, have these scores, by URI: a score that is not on all is on
    none (RFC 8216bis, 4.4.6.2). To be done last: the m3u8 library does not know SCORE."""
    lines = text.splitlines()
    for n, line in enumerate(lines):
        if line in scores and lines[n - 1].startswith("#EXT-X-STREAM-INF:"):
            lines[n - 1] += f",SCORE={scores[line]:g}"
        elif line.startswith("#EXT-X-I-FRAME-STREAM-INF:") and (found := _PICTURES.search(line)) and found[2] in scores:
            lines[n] = f"{line[: found.start()]}SCORE={scores[found[2]]:g},{found[1]}"
    return "\n".join(lines) + "\n"


def _text(playlist: m3u8.M3U8) -> str:
    text: str = playlist.dumps(infspec="microseconds")
    return text.rstrip("\n") + "\n"
