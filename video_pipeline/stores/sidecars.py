"""Takes the subtitle files that come with a video into the store."""

from __future__ import annotations

from pathlib import Path

from video_pipeline.errors import SourceError
from video_pipeline.media.files import copy_and_hash
from video_pipeline.media.model import SourceFile
from video_pipeline.media.options import Options
from video_pipeline.media.text import sidecar
from video_pipeline.stores.checkpoints import SOURCE, Checkpoints
from video_pipeline.stores.objects import ObjectStore
from video_pipeline.stores.sources import sidecar_paths


def take_in(options: Options, objects: ObjectStore, checkpoints: Checkpoints, scratch: Path) -> tuple[SourceFile, ...]:
    """The files as blobs of the store, in the order of `options.subtitles`.

    Raises:
        SourceError: one is missing, too large or no subtitle file; the message begins with its field.
    """
    files = []
    for n, path in enumerate(sidecar_paths(options)):
        field = f"subtitles.{n}.source"
        size = path.stat().st_size
        if size > sidecar.MOST_BYTES:
            # Before it is copied: somebody may have named the video.
            raise SourceError(f"{field} {path}: {size} bytes are too many; give {sidecar.FORMATS}")
        blob = copy_and_hash(path, scratch / "sidecar")
        sidecar.read(scratch / "sidecar", field, str(path))
        objects.put_file(blob.key, scratch / "sidecar", move=True)
        file = SourceFile(blob=blob, name=path.name, uri=options.subtitles[n].source)
        checkpoints.put(SOURCE, blob.sha256, file)
        files.append(file)
    return tuple(files)
