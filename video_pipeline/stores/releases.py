"""Releases: a complete, immutable set of files per video, and the pointer that says which one is current.

    videos/<video_id>/current.json                    the pointer
    videos/<video_id>/media/<sha256>.mp4              shared by the releases of this video
    videos/<video_id>/releases/<release_id>/...       release.json is written last

The pointer is written after everything it leads to is on disk, so a reader finds a whole release behind it, whenever
a publisher dies. Nothing published holds a time or a random number: the same draft gives the same bytes anywhere.
"""

from __future__ import annotations

from pydantic import ValidationError

from video_pipeline.errors import HomeError, ObjectMissing, RequestError
from video_pipeline.media.files import blob_of
from video_pipeline.media.model import Blob
from video_pipeline.stores.objects import ObjectStore
from video_pipeline.stores.pointer import flip, read_pointer
from video_pipeline.stores.release_model import Draft, Pointer, Release, release_key


def publish(store: ObjectStore, draft: Draft, *, expected_sequence: int | None = None) -> Pointer:
    """Stores the release and makes it the current one; leaves the pointer alone if it is that already.

    Of publishers of one video at the same time, each ends with its release current at some moment, or with
    `ConflictError` because the pointer changed since it began: try again, everything but the pointer is in place.

    Args:
        expected_sequence: the pointer's sequence the caller decided on, 0 for no pointer; None for any.

    Raises:
        ConflictError: see above, or the sequence is not the expected one.
        ObjectMissing: a blob of the draft is not in the store.
        RequestError: a path of the draft cannot be used.
    """
    before, etag = read_pointer(store, draft.video_id, expected_sequence)
    release = draft.release()
    for path, content in draft.contents().items():
        _put(store, release_key(draft.video_id, release.release_id, path), content)
    _put(store, release_key(draft.video_id, release.release_id), release.text())
    return flip(store, draft.video_id, release.release_id, before, etag)


def point(store: ObjectStore, video_id: str, release_id: str, *, expected_sequence: int | None = None) -> Pointer:
    """Makes an earlier release of the video the current one again.

    Raises:
        RequestError: there is no such release, or it lacks a file.
        ConflictError: as `publish`.
    """
    before, etag = read_pointer(store, video_id, expected_sequence)
    for file in read(store, video_id, release_id).files:
        stat = store.stat(release_key(video_id, release_id, file.path))
        if stat is None or stat.size != file.size:
            raise RequestError(f"release {release_id} of {video_id} is not whole: {file.path} is missing or damaged")
    return flip(store, video_id, release_id, before, etag)


def current(store: ObjectStore, video_id: str) -> Pointer | None:
    """None if nothing of this video was published. Raises `HomeError` if the pointer is damaged."""
    return read_pointer(store, video_id)[0]


def read(store: ObjectStore, video_id: str, release_id: str) -> Release:
    """Raises `RequestError` if there is no such release, `HomeError` if its release.json is damaged."""
    key = release_key(video_id, release_id)
    try:
        return Release.model_validate_json(store.get_bytes(key))
    except ObjectMissing:
        raise RequestError(f"video {video_id} has no release {release_id}") from None
    except ValidationError:
        raise HomeError(f"object {key} is damaged") from None


def verify(store: ObjectStore, video_id: str, release_id: str) -> list[str]:
    """Reads every file of a release; one sentence for each that is missing or is not what release.json says.

    Raises as `read`.
    """
    problems = []
    for file in read(store, video_id, release_id).files:
        try:
            path = store.local(release_key(video_id, release_id, file.path))
        except ObjectMissing:
            problems.append(f"{file.path}: missing")
            continue
        found = blob_of(path)
        if (found.size, found.sha256) != (file.size, file.sha256):
            problems.append(
                f"{file.path}: {found.size} bytes, sha256 {found.sha256}; should be {file.size} bytes, {file.sha256}"
            )
    return problems


def _put(store: ObjectStore, key: str, content: bytes | Blob) -> None:
    if isinstance(content, bytes):
        # A file of a release is named by its content: one that differs was damaged, and is put right.
        if store.stat(key) is None or store.get_bytes(key) != content:
            store.put_bytes(key, content)
        return
    stat = store.stat(content.key)
    if stat is not None and stat.size != content.size:
        raise HomeError(f"object {content.key} is damaged: {stat.size} bytes instead of {content.size}")
    store.copy(content.key, key)
