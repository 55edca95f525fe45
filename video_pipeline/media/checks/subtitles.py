"""The check of the text tracks, and what the manifests must say of them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

import m3u8
from lxml import etree

from video_pipeline.media.checks import webvtt
from video_pipeline.media.checks.tracks import TOLERANCE
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.dash import NS
from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CHAPTERS, CheckResult, Streams, Texts


def subtitles(plan: EncodingPlan, texts: Texts, suggested: Mapping[str, str] | None = None) -> CheckResult:
    """Every planned track was made or is named as left out; each is WebVTT whose cues lie inside the video; the
    chapters likewise, and those suggested."""
    wrong: list[Problem] = []
    made = [track.plan for track in texts.tracks]
    unaccounted = len(plan.text) + len(plan.text_left_out) - len(made) - len(texts.left_out)
    wrong += (("subtitles", f"{track.name} was made and not planned") for track in made if track not in plan.text)
    if unaccounted:
        planned = ", ".join(track.name for track in plan.text if track not in made)
        wrong.append(("subtitles", f"of {planned or 'what is left out'}, {unaccounted} are not accounted for"))
    if (plan.chapters != ()) is not (texts.chapters is not None):
        wrong.append((CHAPTERS, f"{len(plan.chapters)} chapters planned"))
    count = 0
    for path, text in {**texts.files(), **(suggested or {})}.items():
        try:
            cues = webvtt.read(text)
        except webvtt.NotWebVTT as error:
            wrong.append((path, str(error)))
            continue
        count += len(cues)
        wrong += ((path, problem) for problem in _out_of_place(cues, plan))
    wrong += (
        (track.path, f"{track.cues} cues are listed")
        for track in texts.tracks
        if track.vtt.count(" --> ") != track.cues
    )
    left = f"; left out: {', '.join(track.name for track in texts.left_out)}" if texts.left_out else ""
    return verdict("subtitles", wrong, f"{len(texts.tracks)} tracks, {count} cues inside the video{left}")


def text_references(streams: Streams, texts: Texts) -> Iterator[Problem]:
    """Every text track stands in both manifests, and they name no other."""
    paths = {track.path for track in texts.tracks}
    master = m3u8.loads(streams.texts.get(MASTER, ""))
    group = [rendition for rendition in master.media if rendition.type == "SUBTITLES"]
    named = []
    for rendition in group:
        playlist = m3u8.loads(streams.texts.get(f"hls/{rendition.uri}", ""))
        named += [posixpath.normpath(f"hls/{segment.uri}") for segment in playlist.segments]
    yield from _differs(MASTER, named, paths)
    for what in ("name", "uri"):
        if len({getattr(rendition, what) for rendition in group}) != len(group):
            yield MASTER, f"two text tracks have the same {what}"
    if sum(rendition.default == "YES" for rendition in group) > 1:
        yield MASTER, "two text tracks are the default"
    for variant in master.playlists:
        groups = {rendition.group_id for rendition in group}
        if groups != ({variant.stream_info.subtitles} if variant.stream_info.subtitles else set()):
            yield MASTER, f"{variant.uri} has the text tracks {variant.stream_info.subtitles or 'of nobody'}"
    if MPD in streams.texts:
        bases = etree.fromstring(streams.texts[MPD].encode()).iterfind(
            ".//mpd:AdaptationSet[@contentType='text']//mpd:BaseURL", NS
        )
        yield from _differs(MPD, [posixpath.normpath(f"dash/{base.text}") for base in bases], paths)


def _differs(manifest: str, named: list[str], paths: set[str]) -> Iterator[Problem]:
    for path in sorted(paths - set(named)):
        yield manifest, f"does not name {path}"
    for path in named:
        if path not in paths or named.count(path) > 1:
            yield manifest, f"names {path}, which is not in the release or is named twice"


def _out_of_place(cues: list[tuple[int, int, str]], plan: EncodingPlan) -> Iterator[str]:
    end = plan.duration * 1000
    before = 0
    for number, (start, stop, _) in enumerate(cues, start=1):
        if stop > end:
            yield f"cue {number} ends at {stop / 1000:.3f} s, the video at {float(plan.duration):.3f} s"
        if start < before:
            yield f"cue {number} begins before the one before it"
        before = start


def text_playlist_problems(path: str, playlist: m3u8.M3U8, plan: EncodingPlan) -> Iterator[Problem]:
    """Of the playlist of a text track."""
    total = sum(segment.duration for segment in playlist.segments)
    if abs(total - float(plan.duration)) > TOLERANCE:
        yield path, f"its segments last {total:.3f} s, planned {float(plan.duration):.3f} s"
    if total > playlist.target_duration + 0.5:
        yield path, f"a segment lasts {total:.3f} s, target duration is {playlist.target_duration} s"
    if not playlist.is_endlist:
        yield path, "has no end (EXT-X-ENDLIST)"
