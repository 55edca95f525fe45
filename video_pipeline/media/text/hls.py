"""Text tracks in HLS: a group of the master playlist, and a playlist of one segment for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import m3u8

from video_pipeline.media.hls import UNKNOWN_LANGUAGE
from video_pipeline.media.products import TextTrack

GROUP = "text"
FOR_THE_DEAF = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
"""RFC 8216, 4.3.4.1."""


def playlist_name(track: TextTrack) -> str:
    """Beside the master playlist."""
    return f"text-{track.plan.name}.m3u8"


def with_text(master: str, tracks: Sequence[TextTrack]) -> str:
    """A master playlist whose variants all have these tracks; unchanged if there are none."""
    if not tracks:
        return master
    playlist = m3u8.loads(master)
    for track in tracks:
        plan = track.plan
        rendition = m3u8.Media(
            uri=playlist_name(track),
            type="SUBTITLES",
            group_id=GROUP,
            language=plan.language or UNKNOWN_LANGUAGE,
            name=plan.label,
            default="YES" if plan.default else "NO",
            autoselect="YES",
            forced="YES" if plan.forced else "NO",
            characteristics=FOR_THE_DEAF if plan.sdh else None,
        )
        playlist.add_media(rendition)
    for variant in playlist.playlists:
        variant.media += playlist.media[-len(tracks) :]
    text: str = playlist.dumps(infspec="microseconds")
    return text.rstrip("\n") + "\n"


def playlists(tracks: Sequence[TextTrack], duration: Fraction) -> dict[str, str]:
    """Path inside the release to playlist: each has the whole track as its one segment, as long as the video."""
    head = ["#EXTM3U", "#EXT-X-VERSION:6", f"#EXT-X-TARGETDURATION:{math.ceil(duration)}", "#EXT-X-PLAYLIST-TYPE:VOD"]
    return {
        f"hls/{playlist_name(track)}": "\n".join(
            [*head, f"#EXTINF:{float(duration):.6f},", f"../{track.path}", "#EXT-X-ENDLIST\n"]
        )
        for track in tracks
    }
