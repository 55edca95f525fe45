"""Both manifests of a release: what the packager leaves open is filled in, what differs from run to run is fixed."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import PurePosixPath

from video_pipeline.media import choice, dash, hls
from video_pipeline.media.image_products import Sprites
from video_pipeline.media.keying import Keying
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import StreamFile, TextTrack
from video_pipeline.media.text import dash as text_dash
from video_pipeline.media.text import hls as text_hls
from video_pipeline.media.tiles import dash as tiles_dash
from video_pipeline.media.tiles import hls as tiles_hls

MASTER, MPD = "hls/master.m3u8", "dash/manifest.mpd"


def complete(
    plan: EncodingPlan,
    media: Sequence[StreamFile],
    durations: Mapping[str, Sequence[Fraction]],
    playlists: Mapping[str, str],
    mpd: bytes,
    text: Sequence[TextTrack] = (),
    keying: Keying | None = None,
    sprites: Sprites | None = None,
) -> dict[str, str]:
    """The texts of a release, by path.

    Args:
        durations: track name to the length of each of its segments, seconds.
        playlists: file name to text, as the packager wrote them; `master.m3u8` is one of them.
        mpd: the packager's.
        keying: of encrypted tracks.
    """
    address = {f"{file.name}.mp4": f"../../../media/{file.file.sha256}.mp4" for file in media}
    texts = {}
    for file in media:
        name = f"{file.name}.m3u8"
        spans = keying.spans.get(file.name) if keying else None
        texts[f"hls/{name}"] = hls.media_playlist(playlists[name], address, durations[file.name], spans)
        name = f"{file.name}-iframes.m3u8"
        if name in playlists and not plan.whole:
            texts[f"hls/{name}"] = hls.key_frame_playlist(playlists[name], address, plan.rate)
    rates = {name: hls.bit_rates(text) for name, text in texts.items()}
    texts[MASTER] = hls.master_playlist(
        playlists["master.m3u8"], rates, plan.audio, ranges=choice.ranges(plan), first=choice.first(plan)
    )
    rank = choice.scores(plan)
    scores = {f"{name}{kind}.m3u8": score for name, score in rank.items() for kind in ("", "-iframes")}
    texts[MASTER] = tiles_hls.with_tiles(text_hls.with_text(texts[MASTER], text), sprites, plan.duration)
    texts[MASTER] = hls.scored(texts[MASTER], scores)
    if not plan.whole:
        texts[MPD] = dash.manifest(mpd, address, plan, {name: peak for name, (_, peak) in rates.items()})
        texts[MPD] = text_dash.with_text(texts[MPD], text, plan.duration)
    if keying:
        for name in rates:
            track = PurePosixPath(name).stem.removesuffix("-iframes")
            texts[name] = keying.hls(texts[name], track)
        if not plan.whole:
            texts[MPD] = keying.dash(texts[MPD])
    if not plan.whole:
        texts[MPD] = tiles_dash.with_tiles(texts[MPD], sprites, plan)
    texts |= text_hls.playlists(text, plan.duration) | tiles_hls.playlists(sprites, plan.duration)
    return dict(sorted(texts.items()))


def pointer_master(text: str, release_id: str) -> str:
    """A release's HLS master as it stands at videos/<video_id>/master.m3u8."""
    return hls.readdressed(text, lambda uri: f"releases/{release_id}/hls/{uri}")


def pointer_plain(text: str, release_id: str) -> str:
    """Likewise at videos/<video_id>/plain.m3u8: its first variant's family alone."""
    return hls.one_family(pointer_master(text, release_id))


def pointer_mpd(text: str, release_id: str) -> str:
    """A release's MPD as it stands at videos/<video_id>/manifest.mpd."""
    return dash.readdressed(text, lambda uri: posixpath.normpath(f"releases/{release_id}/dash/{uri}"))
