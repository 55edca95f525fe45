"""`video-pipeline thumbnail`: the picture that is kept for a video as its poster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from video_pipeline import settings
from video_pipeline.connection.waiting import wait_for_redis
from video_pipeline.errors import PermanentError, RequestError, ServiceDown
from video_pipeline.home import prepare
from video_pipeline.identity import check_video_id
from video_pipeline.intake import spelled
from video_pipeline.media import tools
from video_pipeline.services.stack import running
from video_pipeline.settings import Settings
from video_pipeline.stores.budget import working
from video_pipeline.stores.custom_thumbnails import CustomThumbnails
from video_pipeline.stores.index import Index
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.requests import Requests, VideoRequest
from video_pipeline.stores.scratch import scratch

MOMENT_SECONDS = 3.0
"""How long it waits for a queue that is just not there."""


@click.command()
@click.argument("video_id")
@click.argument("picture", required=False)
@click.option("--remove", is_flag=True, help="The poster is chosen again, as the video's request says.")
@click.option("--no-release", is_flag=True, help="Only keep or remove it: it shows with the video's next release.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def thumbnail(video_id: str, picture: str | None, remove: bool, no_release: bool, as_json: bool) -> None:
    """Make PICTURE the poster of VIDEO_ID, in all releases from now on; without PICTURE, show which one is kept.

    It is copied into the store at once. A new release is made if a queue is reachable; what stands already is not made
    again.
    """
    if picture is not None and remove:
        raise click.UsageError("give a PICTURE, or --remove")
    ours, index, request = _known(check_video_id(video_id))
    store = LocalStore(ours.store)
    kept = CustomThumbnails(index, store)
    if picture is None and not remove:
        file = kept.get(video_id)
        told = {"source": file.uri, "sha256": file.blob.sha256, "bytes": file.blob.size} if file else None
        sentence = f"{file.uri}, {file.blob.size} bytes" if file else "none: the poster is a frame of the video"
        _print({"videoId": video_id, "thumbnail": told}, sentence, as_json)
        return
    if picture is not None:
        found = tools.find(ffmpeg=ours.ffmpeg, ffprobe=ours.ffprobe, packager=ours.packager, nice=ours.nice)
        with working(store, ours.checkpoint_bytes), scratch(ours.scratch) as place:
            address = spelled.picture(f"./{picture}" if picture == "none" else picture, Path())
            kept.set(video_id, address, request.version, found, place)
        done = f"{picture} is kept as the thumbnail of {video_id}"
    else:
        with working(store, ours.checkpoint_bytes):
            if kept.remove(video_id, request.version) is None:
                raise RequestError(f"video {video_id} has no thumbnail of its own to remove")
        done = f"{video_id} has no thumbnail of its own any more"
    job_id, why = (None, "") if no_release else _release(ours, request)
    later = f"; it shows with the next release{why}"
    sentence = done + (f"; job {job_id} makes a release that shows it" if job_id else later)
    _print({"videoId": video_id, "removed": remove, "jobId": job_id}, sentence, as_json)


def _known(video_id: str) -> tuple[Settings, Index, VideoRequest]:
    ours = settings.load()
    index = Index(ours.index_url)
    index.require()
    prepare(ours)
    index.upgrade()
    request = Requests(index).latest(video_id)
    if request is None:
        raise RequestError(f"video {video_id} is not known: nothing was ever asked for it; submit it first")
    return ours, index, request


def _release(ours: Settings, request: VideoRequest) -> tuple[str | None, str]:
    """The id of a job that wants what the video's last request did; or none, and why."""
    from video_pipeline.intake.submit import submit_again

    try:
        ours = running(ours)
        wait_for_redis(ours, MOMENT_SECONDS)
        return submit_again(ours, request), ""
    except (ServiceDown, PermanentError) as error:
        return None, f", as no job can be submitted now: {error}"


def _print(value: dict[str, Any], sentence: str, as_json: bool) -> None:
    print(json.dumps(value, ensure_ascii=False) if as_json else sentence, flush=True)
