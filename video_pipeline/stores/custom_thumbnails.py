"""Pictures that people bring as thumbnails: taken into the store once, kept for their video until they are removed.

The index says which picture a video has, and which request was the newest when that was said: neither that one nor an
older one that runs again may change it. In the store it is a checkpoint of a kind that no budget drops; once another
takes its place, it is one like others.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path

import sqlalchemy as sa

from video_pipeline.errors import SourceError
from video_pipeline.media import custom_picture
from video_pipeline.media.files import copy_and_hash
from video_pipeline.media.model import Blob, SourceFile
from video_pipeline.media.options import NO_PICTURE, Options
from video_pipeline.media.tools import Tools
from video_pipeline.stores.checkpoints import PICTURE, Checkpoints
from video_pipeline.stores.index import Index
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.requests import Requests, VideoRequest
from video_pipeline.stores.sources import PICTURE_FIELD, local_path, picture_path
from video_pipeline.stores.tables import custom_thumbnails

REPLACED = "thumbnail-replaced"
"""The kind of those that a run may still use, and nobody after it."""


class CustomThumbnails:
    def __init__(self, index: Index, objects: LocalStore) -> None:
        self.index, self.objects = index, objects
        self._checkpoints, self._requests = Checkpoints(objects), Requests(index)

    def get(self, video_id: str) -> SourceFile | None:
        """The picture that is kept for a video."""
        with self.index.read() as connection:
            return _file(_row(connection, video_id))

    def take_in(self, request: VideoRequest, tools: Tools, scratch: Path) -> SourceFile | None:
        """Does what the request says of the video's picture, unless that was done or something newer holds. Returns
        the picture that is kept now.

        Raises:
            SourceError: the file is missing, too large or no picture; what was kept stays.
        """
        wish, video_id = request.options.thumbnail, request.video_id
        if wish is not None and not self._requests.picture_settled(video_id, request.version):
            file = None if wish == NO_PICTURE else self._stored(request.options, tools, scratch)
            self._keep(video_id, file, request.version, request.created, unless_newer=True)
        return self.get(video_id)

    def set(self, video_id: str, address: str, newest: int, tools: Tools, scratch: Path) -> SourceFile:
        """Somebody brings a picture by itself.

        Args:
            newest: version of the video's newest request.

        Raises: as `take_in`.
        """
        local_path(address, PICTURE_FIELD)  # else what an option cannot be is no `SourceError`
        file = self._stored(Options(thumbnail=address), tools, scratch)
        self._keep(video_id, file, newest, datetime.now(timezone.utc))
        return file

    def remove(self, video_id: str, newest: int) -> SourceFile | None:
        """Likewise; returns the picture that was kept."""
        before = self.get(video_id)
        if before is not None:
            self._keep(video_id, None, newest, datetime.now(timezone.utc))
        return before

    def path(self, file: SourceFile, scratch: Path) -> Path:
        """The picture to make something from, whole. One that is damaged or gone is taken in again.

        Raises:
            SourceError: that cannot be done.
        """
        if not self.objects.whole(file.blob.key):
            lost = f"{PICTURE_FIELD} {file.uri}: its copy in the store is damaged or gone, and"
            try:
                again = copy_and_hash(local_path(file.uri, PICTURE_FIELD), scratch / "again")
            except (SourceError, OSError):
                raise SourceError(f"{lost} the file is not there any more; set it again, or remove it") from None
            if again != file.blob:
                raise SourceError(f"{lost} the file is another one by now; set it again, or remove it")
            self.objects.put_file(file.blob.key, scratch / "again", move=True)
        return self.objects.local(file.blob.key)

    def _stored(self, options: Options, tools: Tools, scratch: Path) -> SourceFile:
        """In the store, and decoded once to see that it is a picture."""
        path = picture_path(options)
        assert path is not None
        copy = scratch / "picture"
        blob = copy_and_hash(path, copy)
        custom_picture.check(tools, copy, PICTURE_FIELD, str(path), scratch)
        self.objects.put_file(blob.key, copy, move=True)
        return SourceFile(blob=blob, name=path.name, uri=str(options.thumbnail))

    def _keep(
        self, video_id: str, file: SourceFile | None, version: int, moment: datetime, *, unless_newer: bool = False
    ) -> None:
        row = {
            "sha256": file.blob.sha256 if file else None,
            "size": file.blob.size if file else None,
            "name": file.name if file else None,
            "uri": file.uri if file else None,
            "request": version,
            "set_at": moment,
        }
        with self.index.write() as connection:
            known = _row(connection, video_id)
            if known is not None and unless_newer and known.request >= version:
                return
            if file is not None:
                # Inside of the transaction: nobody shall tidy it away before the row names it.
                self._checkpoints.put(PICTURE, _key(video_id, file.blob), file)
            if known is None:
                connection.execute(sa.insert(custom_thumbnails).values(video_id=video_id, **row))
            else:
                of_video = custom_thumbnails.c.video_id == video_id
                # What a request did while the picture was read does not come back.
                newest = max(known.request, version)
                connection.execute(sa.update(custom_thumbnails).where(of_video).values(row | {"request": newest}))
        self._tidy(video_id)

    def _tidy(self, video_id: str) -> None:
        """Gives up what was kept before, also what a crash has left."""
        with self.index.write() as connection:
            kept = _file(_row(connection, video_id))
            for name in self.objects.list(f"checkpoints/{PICTURE}/{video_id}-"):
                found = re.fullmatch(rf"checkpoints/{PICTURE}/({re.escape(video_id)}-([0-9a-f]{{64}}))\.json", name)
                if found is None or (kept is not None and found[2] == kept.blob.sha256):
                    continue
                old = self._checkpoints.get(PICTURE, found[1], SourceFile, read=False)
                if old is not None:  # first: else a run that reads it would lose it
                    self._checkpoints.put(REPLACED, found[2], old)
                self._checkpoints.drop(PICTURE, found[1])


def _key(video_id: str, blob: Blob) -> str:
    return f"{video_id}-{blob.sha256}"


def _row(connection: sa.Connection, video_id: str) -> sa.Row[tuple[object, ...]] | None:
    return connection.execute(sa.select(custom_thumbnails).where(custom_thumbnails.c.video_id == video_id)).first()


def _file(row: sa.Row[tuple[object, ...]] | None) -> SourceFile | None:
    if row is None or row.sha256 is None:
        return None
    return SourceFile(blob=Blob(sha256=row.sha256, size=row.size), name=row.name, uri=row.uri)
