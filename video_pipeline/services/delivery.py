"""Serves published files over HTTP, for the machine it runs on: players need byte ranges. A page shows each video.

In production a CDN or web server in front of the object store does this.
"""

from __future__ import annotations

import json
import mimetypes

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from video_pipeline import settings
from video_pipeline.errors import RequestError
from video_pipeline.identity import check_video_id
from video_pipeline.services import watch_page
from video_pipeline.settings import Settings
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.release_model import Release, release_key
from video_pipeline.stores.releases import current, read


def application(ours: Settings) -> Starlette:
    """`/videos` of the store, and of it nothing else; `/videos/<video id>/download.mp4`, which leads to the MP4 of the
    current release; `/watch/<video id>`, which plays it; and `/scrubber.js`, which that page scrubs with."""
    # Python's table knows neither on every system; a browser goes by the type.
    mimetypes.add_type("application/vnd.apple.mpegurl", ".m3u8")
    mimetypes.add_type("application/dash+xml", ".mpd")
    mimetypes.add_type("text/vtt", ".vtt")
    mimetypes.add_type("image/webp", ".webp")
    mimetypes.add_type("image/avif", ".avif")
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
        metadata = json.loads(objects.get_bytes(release_key(release.video_id, release.release_id, "metadata.json")))
        # What was published before there was one has the other alone.
        plain = objects.stat(f"videos/{release.video_id}/plain.m3u8") is not None
        return HTMLResponse(watch_page.page(release, metadata, "plain.m3u8" if plain else "master.m3u8"))

    return Starlette(
        routes=[
            Route("/watch/{video_id}", watch),
            Route("/scrubber.js", lambda _: FileResponse(watch_page.SCRUBBER, media_type="text/javascript")),
            Route("/videos/{video_id}/download.mp4", download),
            Mount("/videos", StaticFiles(directory=ours.store / "videos", check_dir=False)),
        ],
        exception_handlers={RequestError: _not_found},
        # Players on other pages may read it.
        middleware=[Middleware(CORSMiddleware, allow_origins=["*"], expose_headers=["Content-Range"])],
    )


def _not_found(_: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=404)


def main() -> None:
    """Serves until it is told to stop."""
    ours = settings.load()
    uvicorn.run(application(ours), host=ours.host, port=ours.delivery_port, log_level="warning")


if __name__ == "__main__":
    main()
