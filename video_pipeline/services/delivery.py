"""Serves published files over HTTP, for the machine it runs on: players need byte ranges. A page shows each video.

In production a CDN or web server in front of the object store does this.
"""

from __future__ import annotations

import html
import json
import mimetypes
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from video_pipeline import settings
from video_pipeline.errors import RequestError
from video_pipeline.identity import check_video_id
from video_pipeline.settings import Settings
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.release_model import Release, release_key
from video_pipeline.stores.releases import current, read

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
POSTER = '<img src="{release}/thumbnails/poster.jpg" alt="">'
ENCRYPTED = """It is encrypted ({scheme}), and this page has no key. Open {manifests} in a player on a page of yours,
such as hls.js or Shaka Player, that gets the key from {key_uri}."""
DOWNLOAD = '<a href="{video}/download.mp4" download="{video_id}.mp4">Download it</a> as MP4, {megabytes} MB.'


def application(ours: Settings) -> Starlette:
    """`/videos` of the store, and of it nothing else; `/videos/<video id>/download.mp4`, which leads to the MP4 of the
    current release; and `/watch/<video id>`, which plays it."""
    # Python's table knows neither on every system; a browser goes by the type.
    mimetypes.add_type("application/vnd.apple.mpegurl", ".m3u8")
    mimetypes.add_type("application/dash+xml", ".mpd")
    mimetypes.add_type("text/vtt", ".vtt")
    objects = LocalStore(ours.store)

    def published(request: Request) -> Release:
        video_id = check_video_id(request.path_params["video_id"])
        pointer = current(objects, video_id)
        if pointer is None:
            raise RequestError(f"video {video_id} is not published")
        return read(objects, video_id, pointer.release_id)

    def download(request: Request) -> Response:
        release = published(request)
        if release.download is None:
            raise RequestError(f"video {release.video_id} has no download: its preset, {release.preset.name}, has none")
        # It follows the newest release, so nobody may keep it.
        path = "/" + release_key(release.video_id, release.release_id, release.download)
        return RedirectResponse(path, headers={"Cache-Control": "no-cache"})

    def watch(request: Request) -> Response:
        release = published(request)
        video_id = release.video_id
        title = release.request.get("title") or video_id
        video = f"/videos/{video_id}"
        size = next((file.size for file in release.files if file.path == release.download), 0)
        offer = DOWNLOAD.format(video=video, video_id=video_id, megabytes=f"{size / 1e6:.1f}")
        metadata = json.loads(objects.get_bytes(release_key(video_id, release.release_id, "metadata.json")))
        folder = f"{video}/releases/{release.release_id}"
        # What was published before there was one has the other alone.
        playlist = "plain.m3u8" if objects.stat(f"videos/{video_id}/plain.m3u8") else "master.m3u8"
        player = PLAYER.format(release=folder, video=video, playlist=playlist, tracks=_tracks(metadata, folder))
        advice = ADVICE.format(video=video)
        protection = metadata.get("plan", {}).get("protection")  # a release of an older version does not tell
        if protection:
            player, advice = POSTER.format(release=folder), _encrypted(protection, release)
        return HTMLResponse(
            PAGE.format(
                title=html.escape(str(title)),
                video_id=video_id,
                release_id=release.release_id,
                player=player,
                advice=advice,
                download=offer if release.download else "",
            )
        )

    return Starlette(
        routes=[
            Route("/watch/{video_id}", watch),
            Route("/videos/{video_id}/download.mp4", download),
            Mount("/videos", StaticFiles(directory=ours.store / "videos", check_dir=False)),
        ],
        exception_handlers={RequestError: _not_found},
        # Players on other pages may read it.
        middleware=[Middleware(CORSMiddleware, allow_origins=["*"], expose_headers=["Content-Range"])],
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


def _not_found(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=404)


def main() -> None:
    """Serves until it is told to stop."""
    ours = settings.load()
    uvicorn.run(application(ours), host=ours.host, port=ours.delivery_port, log_level="warning")


if __name__ == "__main__":
    main()
