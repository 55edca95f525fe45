"""What both manifests say of a text track's kind and flags."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import m3u8
import pytest
from lxml import etree

from video_pipeline.media.model import TextPlan
from video_pipeline.media.products import TextTrack
from video_pipeline.media.text import dash, hls

DURATION = Fraction(90, 7)
MASTER = (
    '#EXTM3U\n#EXT-X-MEDIA:URI="s.m3u8",TYPE=AUDIO,GROUP-ID="s",NAME="s"\n'
    '#EXT-X-STREAM-INF:BANDWIDTH=9\na.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=8,AUDIO="s"\nb.m3u8\n'
)
MPD = (
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet id="0" contentType="video"/></Period>'
    '<Period><AdaptationSet id="0" contentType="video"/></Period></MPD>'
)


def track(name: str = "en", **flags: Any) -> TextTrack:
    plan = TextPlan(name=name, origin="stream", zero=Fraction(0), label=f"<{name}> & co", **flags)
    return TextTrack(plan=plan, cues=1, vtt="WEBVTT\n\n00:00.000 --> 00:01.000\nö\n")


@pytest.mark.parametrize(
    ("flags", "said", "roles"),
    [
        ({"language": "en"}, ("en", "NO", "NO", None), ["subtitle"]),
        ({}, ("und", "NO", "NO", None), ["subtitle"]),
        ({"default": True}, ("und", "YES", "NO", None), ["main", "subtitle"]),
        ({"forced": True}, ("und", "NO", "YES", None), ["forced-subtitle"]),
        (
            {"sdh": True},
            (
                "und",
                "NO",
                "NO",
                "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",
            ),
            ["caption"],
        ),
    ],
    ids=str,
)
def test_flags(flags: dict[str, Any], said: tuple[str, str, str, str | None], roles: list[str]) -> None:
    tracks = [track(**flags), track("fr")]
    master = m3u8.loads(hls.with_text(MASTER, tracks))
    _, first, second = master.media
    assert (first.language, first.default, first.forced, first.characteristics) == said
    assert (first.type, first.name, first.autoselect, first.group_id) == ("SUBTITLES", "<en> & co", "YES", "text")
    assert (second.uri, second.name, second.group_id) == ("text-fr.m3u8", "<fr> & co", "text")
    assert [variant.stream_info.subtitles for variant in master.playlists] == ["text", "text"]
    assert master.playlists[1].stream_info.audio == "s"

    ns = {"m": "urn:mpeg:dash:schema:mpd:2011"}
    root = etree.fromstring(dash.with_text(MPD, tracks, DURATION).encode())
    for period in root.iterfind("m:Period", ns):
        _, one, two = period.findall("m:AdaptationSet", ns)
        assert [(kind.get("id"), kind.get("contentType"), kind.get("mimeType")) for kind in (one, two)] == [
            ("1", "text", "text/vtt"),
            ("2", "text", "text/vtt"),
        ]
        assert one.get("lang") == flags.get("language", "und")
        assert [role.get("value") for role in one.iterfind("m:Role", ns)] == roles
        assert one.findtext("m:Label", None, ns) == "<en> & co"
        assert one.findtext("m:Representation/m:BaseURL", None, ns) == "../subtitles/en.vtt"


def test_a_playlist_is_one_segment_as_long_as_the_video() -> None:
    [(path, text)] = hls.playlists([track()], DURATION).items()
    playlist = m3u8.loads(text)
    assert path == "hls/text-en.m3u8"
    [segment] = playlist.segments
    assert (segment.uri, segment.duration) == ("../subtitles/en.vtt", pytest.approx(90 / 7, abs=1e-6))
    assert (playlist.target_duration, playlist.playlist_type, playlist.is_endlist) == (13, "vod", True)


def test_without_tracks_nothing_changes() -> None:
    assert hls.with_text(MASTER, []) == MASTER
    assert dash.with_text(MPD, [], DURATION) == MPD
    assert hls.playlists([], DURATION) == {}
