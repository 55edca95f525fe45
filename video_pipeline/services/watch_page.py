"""The page that shows one published video: a player, pictures to scrub by, and where the files are."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from video_pipeline.stores.release_model import Release

SCRUBBER = Path(__file__).with_name("scrubber.js")
"""Shows the sprites' tiles above a time line; made to be used on other pages, too."""
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  body {{ margin: 0; background: #111; color: #ddd; font: 16px/1.5 system-ui, sans-serif }}
  main {{ max-width: 72rem; margin: 2rem auto; padding: 0 1rem }}
  video {{ width: 100%; max-height: 80vh; background: #000 }}
  a {{ color: #9cf }}
</style>
<main>
<h1>{title}</h1>
{player}
<p>Video {video_id}, release {release_id}. {advice} {download}</p>
</main>
</html>
"""
PLAYER = (
    '<video controls playsinline poster="{release}/thumbnails/poster.jpg" src="{video}/{playlist}">{tracks}</video>'
)
ADVICE = """HLS plays in Chrome and Edge from 142 on, and in Safari; elsewhere, open
<a href="{video}/master.m3u8">HLS</a> or <a href="{video}/manifest.mpd">DASH</a> in a player such as mpv or VLC."""
SCRUB = """<div id="scrubber"></div>
<script type="module">
  import {{ attach }} from "/scrubber.js";
  attach(document.getElementById("scrubber"), document.querySelector("video"), "{release}/sprites/sprites.vtt");
</script>"""
POSTER = '<img src="{release}/thumbnails/poster.jpg" alt="">'
ENCRYPTED = """It is encrypted ({scheme}), and this page has no key. Open {manifests} in a player on a page of yours,
such as hls.js or Shaka Player, that gets the key from {key_uri}."""
DOWNLOAD = '<a href="{video}/download.mp4" download="{video_id}.mp4">Download it</a> as MP4, {megabytes} MB.'


def page(release: Release, metadata: dict[str, Any], playlist: str) -> str:
    """HTML.

    Args:
        metadata: the release's metadata.json.
        playlist: which of the video's HLS masters to play.
    """
    video_id = release.video_id
    video = f"/videos/{video_id}"
    folder = f"{video}/releases/{release.release_id}"
    size = next((file.size for file in release.files if file.path == release.download), 0)
    offer = DOWNLOAD.format(video=video, video_id=video_id, megabytes=f"{size / 1e6:.1f}")
    player = PLAYER.format(release=folder, video=video, playlist=playlist, tracks=_tracks(metadata, folder))
    if any(file.path == "sprites/sprites.vtt" for file in release.files):
        player += SCRUB.format(release=folder)
    advice = ADVICE.format(video=video)
    protection = metadata.get("plan", {}).get("protection")  # a release of an older version does not tell
    if protection:
        player, advice = POSTER.format(release=folder), _encrypted(protection, release)
    return PAGE.format(
        title=html.escape(str(release.request.get("title") or video_id)),
        video_id=video_id,
        release_id=release.release_id,
        player=player,
        advice=advice,
        download=offer if release.download else "",
    )


def _encrypted(protection: dict[str, str], release: Release) -> str:
    """What to do with a release that a page without a key cannot play."""
    names = {"hls/master.m3u8": ("HLS", "master.m3u8"), "dash/manifest.mpd": ("DASH", "manifest.mpd")}
    found = [names[file.path] for file in release.files if file.path in names]
    links = [f'<a href="/videos/{release.video_id}/{name}">{kind}</a>' for kind, name in sorted(found, reverse=True)]
    address = html.escape(protection["key_uri"].replace("{video_id}", release.video_id))
    return ENCRYPTED.format(scheme=protection["scheme"], manifests=" or ".join(links), key_uri=address)


def _tracks(metadata: dict[str, Any], folder: str) -> str:
    """Elements for the text tracks of a release in this folder."""
    texts = metadata.get("subtitles", {})  # a release of an older version has none
    tracks = [
        {
            "kind": "captions" if track["sdh"] else "subtitles",
            "src": track["file"],
            "label": track["label"],
            **({"srclang": track["language"]} if track["language"] else {}),
            **({"default": ""} if track["default"] else {}),
        }
        for track in texts.get("tracks", ())
    ]
    if texts.get("chapters"):
        tracks.append({"kind": "chapters", "src": texts["chapters"]})
    return "".join(
        "<track{}>".format("".join(f' {name}="{html.escape(value)}"' for name, value in track.items()))
        for track in ({**track, "src": f"{folder}/{track['src']}"} for track in tracks)
    )
