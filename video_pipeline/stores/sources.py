"""Takes a source into the store: one read that copies and hashes, or none if the same file was taken in before."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

from video_pipeline.errors import SourceError
from video_pipeline.media import custom_picture
from video_pipeline.media.files import copy_and_hash
from video_pipeline.media.model import SourceFile
from video_pipeline.media.options import NO_PICTURE, Options
from video_pipeline.stores import leases
from video_pipeline.stores.checkpoints import SOURCE, Checkpoints
from video_pipeline.stores.objects import LocalStore, ObjectStore

SCHEMES = ("a path", "file://")
PICTURE_FIELD = "thumbnail"
"""Of a request."""


def local_path(source: str, field: str = "source") -> Path:
    """The file a source names.

    Args:
        field: of the request, for messages.

    Raises:
        SourceError: its scheme is not one of `SCHEMES`, or there is no readable, non-empty file.
    """
    path = _path(source, field)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise SourceError(f"{field} {path}: is a directory; give one file")
        # A pipe would keep us waiting for its writer, a device may never end.
        if not stat.S_ISREG(found.st_mode):
            raise SourceError(f"{field} {path}: is a pipe or a device; give one file")
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise SourceError(f"{field} {path}: no such file") from None
    except OSError as error:
        raise SourceError(f"{field} {path}: cannot be read: {error.strerror}") from None
    if found.st_size == 0:
        raise SourceError(f"{field} {path}: the file is empty (0 bytes)")
    return path


def _path(source: str, field: str) -> Path:
    """What a source names, whether it is there or not."""
    try:
        source.encode()
    except UnicodeEncodeError:
        raise SourceError(f"{field} {source!r}: the file's name is not UTF-8; rename the file") from None
    try:
        parts = urlsplit(source)
    except ValueError as error:  # half an IPv6 address
        raise SourceError(f"{field} {source}: {error}; give {' or '.join(SCHEMES)}") from None
    if "\0" in source or "\0" in unquote(parts.path):
        raise SourceError(f"{field} {source!r}: no file has a zero byte in its name")
    if parts.scheme == "file":
        # file://a/b names b on the machine a.
        if parts.netloc not in ("", "localhost"):
            raise SourceError(f"{field} {source}: only files of this machine can be read; write file:///path")
        return Path(unquote(parts.path))
    if "://" in source:
        raise SourceError(f"{field} {source}: {parts.scheme}:// cannot be read; give {' or '.join(SCHEMES)}")
    return Path(source)


def sidecar_paths(options: Options) -> list[Path]:
    """The subtitle files that come with a video. Raises as `local_path`."""
    return [local_path(sidecar.source, f"subtitles.{n}.source") for n, sidecar in enumerate(options.subtitles)]


def picture_path(options: Options) -> Path | None:
    """The picture that is brought, if one is. Raises as `local_path`, and if it cannot be one."""
    if options.thumbnail in (None, NO_PICTURE):
        return None
    path = local_path(str(options.thumbnail), PICTURE_FIELD)
    custom_picture.look(path, PICTURE_FIELD)
    return path


def paths_beside(options: Options) -> list[Path]:
    """All files that come with a video. Raises as `local_path`."""
    picture = picture_path(options)
    return [*sidecar_paths(options), *([picture] if picture else [])]


def fetch(source: str, objects: ObjectStore, checkpoints: Checkpoints, scratch: Path) -> SourceFile:
    """The source as a blob of the store. One that is there is not read again; `original` does that once it is needed.

    Raises:
        SourceError: see `local_path`, or the file changed while it was read.
    """
    path = local_path(source)
    before = path.stat()
    known = _identity(source, path)
    remembered = checkpoints.get(SOURCE, known, SourceFile, read=False)
    if remembered is not None:
        return remembered
    blob = copy_and_hash(path, scratch / "source")
    if (path.stat().st_size, path.stat().st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise SourceError(f"source {path}: the file changed while it was read; submit it when it is complete")
    objects.put_file(blob.key, scratch / "source", move=True)
    file = SourceFile(blob=blob, name=path.name, uri=source)
    checkpoints.put(SOURCE, known, file)
    return file


def original(file: SourceFile, objects: LocalStore, checkpoints: Checkpoints, scratch: Path) -> Path:
    """The source to make something from, read to its end once in a run: it is what its name says. One that is damaged
    or gone is taken in again.

    Raises:
        SourceError: that cannot be done: the file is gone from where it was too, or is another one now.
    """
    proven = leases.hold(objects.root).proven
    if file.blob.sha256 in proven and objects.stat(file.blob.key) is not None:
        return objects.local(file.blob.key)
    if not objects.whole(file.blob.key):
        try:
            again = fetch(file.uri, objects, checkpoints, scratch)
        except SourceError as error:
            raise SourceError(f"its copy in the store is damaged or gone, and so is the original: {error}") from None
        if again.blob != file.blob:
            raise SourceError(
                f"source {file.uri}: the copy in the store is damaged or gone, and the file is another one by now; "
                "submit it again"
            )
    proven.add(file.blob.sha256)
    return objects.local(file.blob.key)


def _identity(source: str, path: Path) -> str:
    """Changes when the file does, without reading it."""
    found = path.stat()
    parts = (source, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return hashlib.sha256(repr(parts).encode()).hexdigest()
