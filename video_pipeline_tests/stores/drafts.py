"""Small releases, and a check of a published one that shares no code with the package."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from video_pipeline.media.model import Blob
from video_pipeline.stores.objects import ObjectStore
from video_pipeline.stores.release_model import Draft, ReleasePreset, ReleaseSource


def draft(store: ObjectStore, mark: str, *, video_id: str = "film", **request: Any) -> Draft:
    """A release whose every file holds `mark`; the media blob is put into the store."""
    data = mark.encode() * 5000
    blob = Blob(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    store.put_bytes(blob.key, data)
    master = f'#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.4d401f"\nh264-{mark}.m3u8\n'
    mpd = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet id="0"><Representation id="0">'
        f"<BaseURL>../../../media/{blob.sha256}.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    return Draft(
        video_id=video_id,
        request={"preset": "web", "title": mark, "metadata": {"b": 1, "a": [mark]}, **request},
        source=ReleaseSource(sha256="0" * 64, size=12, name="film.mov"),
        preset=ReleasePreset(name="web", digest="d" * 16),
        encoders={"ffmpeg": "9.0"},
        files={
            "hls/master.m3u8": master.encode(),
            "dash/manifest.mpd": mpd.encode(),
            "thumbnails/poster.jpg": blob,
            "metadata.json": json.dumps({"mark": mark}).encode(),
        },
        media=[blob],
    )


def assert_whole(root: Path, video_id: str = "film") -> str:
    """The current release's id; every file it lists is there with its size and hash, and it lists every file."""
    place = root / "videos" / video_id
    pointer = json.loads((place / "current.json").read_text())
    directory = place / "releases" / pointer["releaseId"]
    release = json.loads((directory / "release.json").read_text())
    assert release["releaseId"] == pointer["releaseId"]
    listed = set()
    for file in release["files"]:
        path = (directory / file["path"]).resolve()
        data = path.read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["size"], file["sha256"]), path
        listed.add(path)
    there = {path.resolve() for path in directory.rglob("*") if path.is_file()} - {directory / "release.json"}
    assert there <= listed
    return str(pointer["releaseId"])
