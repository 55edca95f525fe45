"""Apple's authoring rules, and those of HLS itself, that what we write can break.

Numbers are those of the HLS Authoring Specification for Apple Devices
(https://developer.apple.com/documentation/http-live-streaming/hls-authoring-specification-for-apple-devices); other
checks hold 1.13 (`key_frames`), 1.26 and 1.27 (`bandwidth`), 6.10, 7.7, 8.1 and 8.7 (`references`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import m3u8

from video_pipeline.media.checks.authoring_tiles import image_problems
from video_pipeline.media.checks.tile_forms import image_playlist
from video_pipeline.media.checks.verdict import Problem
from video_pipeline.media.manifests import MASTER
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Streams

Rule = tuple[str, str, str]
"""Where, which rule and what is wrong there."""
FOR_THE_DEAF = {"public.accessibility.transcribes-spoken-dialog", "public.accessibility.describes-music-and-sound"}
LEVELS = {"avc1": 52, "hvc1": 153, "av01": 22}
"""The highest level of each codec (1.3, 1.6, 1.37) as CODECS has it: of AV1, 6.2."""
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
"""As far as BCP 47 goes without its registry."""

_VARIANT = re.compile("#EXT-X-(I-FRAME-)?STREAM-INF:")


def hls_problems(plan: EncodingPlan, streams: Streams) -> Iterator[Problem]:
    """What is wrong by these rules; what cannot be read is a matter of `references`."""
    texts = {path: text for path, text in streams.texts.items() if path.startswith("hls/")}
    images = image_playlist(texts)
    playlists = {path: m3u8.loads(text) for path, text in texts.items() if path in (MASTER, *(texts.keys() - {images}))}
    master = playlists.pop(MASTER)
    yield from ((path, f"{rule}: {what}") for path, rule, what in image_problems(texts))
    for path, text in texts.items():
        yield from ((path, f"{rule}: {said}") for rule, said in _text(text))
    scored = {",SCORE=" in line for line in texts[MASTER].splitlines() if _VARIANT.match(line)}
    if len(scored) > 1:
        yield MASTER, "Apple 9.19: some variants have a SCORE and some have none"
    said = [*_variants(master, plan), *_renditions(master), *(() if plan.whole else _key_frames(master))]
    yield from ((MASTER, f"{rule}: {what}") for rule, what in said)
    yield from ((path, f"{rule}: {what}") for path, rule, what in _media(master, playlists))


def _text(text: str) -> Iterator[tuple[str, str]]:
    if not text.startswith("#EXTM3U"):
        yield "RFC 8216, 4.3.1.1", "the first line is not #EXTM3U"
    if len(re.findall(r"^#EXT-X-VERSION", text, re.MULTILINE)) > 1:
        yield "RFC 8216, 4.3.1.2", "there is more than one EXT-X-VERSION"


def _variants(master: m3u8.M3U8, plan: EncodingPlan) -> Iterator[tuple[str, str]]:
    if not master.is_independent_segments:
        yield "Apple 9.11", "there is no EXT-X-INDEPENDENT-SEGMENTS"
    ranges, shapes = set(), {}
    for variant in master.playlists:
        info, uri = variant.stream_info, variant.uri
        lacks = {
            "Apple 9.1": ("CODECS", info.codecs),
            "Apple 9.2": ("RESOLUTION", info.resolution),
            "Apple 9.14": ("AVERAGE-BANDWIDTH", info.average_bandwidth),
            "Apple 9.15": ("FRAME-RATE", info.frame_rate),
        }
        yield from ((rule, f"{uri} has no {what}") for rule, (what, value) in lacks.items() if not value)
        yield from ((rule, f"{uri} {said}") for rule, said in _codecs(info.codecs or ""))
        ranges.add(info.video_range or "SDR")
        shapes[uri] = info.resolution
    if ranges and "SDR" not in ranges:
        yield "Apple 1.24", f"there is no SDR variant, only {', '.join(sorted(ranges))}"
    if plan.family("h264") and not any("avc1" in (variant.stream_info.codecs or "") for variant in master.playlists):
        yield "Apple 1.12", "there is no H.264 variant"
    largest = max((shape for shape in shapes.values() if shape), default=(1, 1))
    for uri, shape in shapes.items():
        # Sides are even numbers of pixels.
        if shape and abs(shape[0] * largest[1] / largest[0] - shape[1]) > 2 and min(shape) > 2:
            yield "Apple 1.33", f"{uri} is {shape[0]}x{shape[1]}, of another shape than {largest[0]}x{largest[1]}"


def _codecs(codecs: str) -> Iterator[tuple[str, str]]:
    for codec in codecs.split(","):
        kind, *rest = codec.strip().split(".")
        if kind in ("avc3", "hev1", "dvhe"):
            yield "Apple 1.10", f"is {kind}, whose parameters are in the samples"
        level = _level(kind, rest)
        if level is not None and level > LEVELS[kind]:
            yield "Apple 1.3, 1.6, 1.37", f"has {codec}, a level beyond {LEVELS[kind]}"


def _level(kind: str, rest: list[str]) -> int | None:
    try:
        if kind == "avc1":
            return int(rest[0][4:6], 16)
        if kind == "hvc1":
            return int(rest[2][1:])
        if kind == "av01":
            return int(rest[1][:2])
    except (IndexError, ValueError):
        return 999
    return None


def _renditions(master: m3u8.M3U8) -> Iterator[tuple[str, str]]:
    sounds = [one for one in master.media if one.type == "AUDIO"]
    for one in master.media:
        what = f"{one.type} {one.name!r}"
        if one.type != "VIDEO" and not one.language:
            yield "Apple 8.10", f"{what} has no LANGUAGE"
        elif one.language and not LANGUAGE.fullmatch(one.language):
            yield "RFC 8216, 4.3.4.1", f"{what} has the language {one.language!r}, which BCP 47 does not know"
        if one.default == "YES" and one.autoselect != "YES":
            yield "RFC 8216, 4.3.4.1", f"{what} is the default and has not AUTOSELECT=YES"
        if one.forced == "YES" and one.type != "SUBTITLES":
            yield "RFC 8216, 4.3.4.1", f"{what} is FORCED and no subtitles"
        if one.forced == "YES" and one.autoselect != "YES":
            yield "Apple 5.11", f"{what} is FORCED and has not AUTOSELECT=YES"
        told = set((one.characteristics or "").split(","))
        if one.type == "SUBTITLES" and told & FOR_THE_DEAF:
            if not told >= FOR_THE_DEAF:
                yield "Apple 4.5", f"{what} has only one of the two CHARACTERISTICS for the deaf"
            if one.autoselect != "YES":
                yield "Apple 4.6", f"{what} is for the deaf and has not AUTOSELECT=YES"
        if one.type == "AUDIO" and not one.channels:
            yield "RFC 8216, 4.3.4.1", f"{what} has no CHANNELS"
    if sounds and not any((one.channels or "").split("/")[0] == "2" for one in sounds):
        yield "Apple 2.3", "there is no stereo sound"
    if sounds and not all("mp4a.40." in (one.stream_info.codecs or "") for one in master.playlists):
        yield "Apple 2.3", "the sound is not AAC in all variants"


def _key_frames(master: m3u8.M3U8) -> Iterator[tuple[str, str]]:
    if not master.iframe_playlists:
        yield "Apple 6.1", "there is no EXT-X-I-FRAME-STREAM-INF"
    for one in master.iframe_playlists:
        info = one.iframe_stream_info
        if not info.codecs:
            yield "Apple 9.3", f"{one.uri} has no CODECS"
        if not info.resolution:
            yield "Apple 9.4", f"{one.uri} has no RESOLUTION"
    ranges = {one.iframe_stream_info.video_range or "SDR" for one in master.iframe_playlists}
    if ranges and "SDR" not in ranges:
        yield "Apple 6.16", "there are no SDR key frames"


def _media(master: m3u8.M3U8, playlists: Mapping[str, m3u8.M3U8]) -> Iterator[Rule]:
    key_frames = {f"hls/{one.uri}" for one in master.iframe_playlists}
    texts = {f"hls/{one.uri}" for one in master.media if one.type == "SUBTITLES"}
    targets: dict[int | None, str] = {}
    for path, playlist in playlists.items():
        if playlist.playlist_type is None or playlist.playlist_type.upper() != "VOD":
            yield path, "Apple 8.6", "its type is not VOD"
        if path in texts:
            continue
        if not all(segment.init_section for segment in playlist.segments):
            yield path, "Apple 8.20", "there is no EXT-X-MAP"
        if int(playlist.version or 1) < (5 if path in key_frames else 6):
            yield path, "RFC 8216, 7", f"EXT-X-MAP needs a higher version than {playlist.version}"
        if playlist.is_i_frames_only is not (path in key_frames):
            yield path, "Apple 6.8", "EXT-X-I-FRAMES-ONLY and its place in the master do not agree"
        if path not in key_frames:
            targets.setdefault(playlist.target_duration, path)
    if len(targets) > 1:
        said = ", ".join(f"{target} s in {path}" for target, path in targets.items())
        yield MASTER, "Apple 8.2", f"target durations differ: {said}"
