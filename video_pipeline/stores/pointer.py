"""The pointer to a video's current release, and the stable addresses that follow it."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from video_pipeline.errors import ConflictError, HomeError, ObjectMissing
from video_pipeline.media import manifests
from video_pipeline.stores.objects import ObjectStore
from video_pipeline.stores.release_model import Pointer, release_key

STABLE: dict[str, tuple[str, Callable[[str, str], str]]] = {
    "master.m3u8": (manifests.MASTER, manifests.pointer_master),
    "plain.m3u8": (manifests.MASTER, manifests.pointer_plain),
    "manifest.mpd": (manifests.MPD, manifests.pointer_mpd),
}
"""Beside the pointer: the file of the release that each is made of, and how."""


def read_pointer(store: ObjectStore, video_id: str, expected_sequence: int | None = None) -> tuple[Pointer | None, str]:
    """The pointer and the etag it had, (None, "") if nothing was published.

    Raises:
        ConflictError: its sequence (0 for no pointer) is not the expected one.
        HomeError: it is damaged.
    """
    key = _key(video_id)
    stat = store.stat(key)
    pointer = None
    if stat is not None:
        try:
            # Read after the etag: if it changed in between, the conditional put fails.
            pointer = Pointer.model_validate_json(store.get_bytes(key))
        except ValidationError:
            raise HomeError(f"object {key} is damaged; delete it and publish the video again") from None
    sequence = pointer.sequence if pointer else 0
    if expected_sequence is not None and sequence != expected_sequence:
        raise ConflictError(f"video {video_id}: another release was published meanwhile (sequence {sequence})")
    return pointer, stat.etag if stat else ""


def flip(store: ObjectStore, video_id: str, release_id: str, before: Pointer | None, etag: str) -> Pointer:
    """Makes a complete release the current one if the pointer is still as `read_pointer` gave it.

    Raises:
        ConflictError: it is not, and does not name this release either.
    """
    if before is not None and before.release_id == release_id:
        pointer = before
    else:
        sequence = before.sequence + 1 if before else 1
        pointer = Pointer(video_id=video_id, release_id=release_id, sequence=sequence)
        try:
            store.put_bytes(_key(video_id), pointer.text(), if_none_match=not before, if_match=etag or None)
        except ConflictError:
            now = read_pointer(store, video_id)[0]
            if now is None or now.release_id != release_id:
                raise ConflictError(f"video {video_id}: another release was published meanwhile; try again") from None
            pointer = now
    follow(store, video_id)
    return pointer


def follow(store: ObjectStore, video_id: str) -> None:
    """Writes the stable addresses for the current release, if they are not so already.

    Of several at the same time, the last one to finish has seen the last pointer: the etag is read before the pointer,
    and the pointer again after the write.
    """
    done = None
    while True:
        etags = {name: store.stat(f"videos/{video_id}/{name}") for name in STABLE}
        pointer = read_pointer(store, video_id)[0]
        if pointer is None or pointer == done:
            return
        try:
            for name, stat in etags.items():
                _write(store, f"videos/{video_id}/{name}", _text(store, pointer, name), stat.etag if stat else None)
        except ConflictError:
            continue
        done = pointer


def _write(store: ObjectStore, key: str, text: str | None, etag: str | None) -> None:
    if text is None:
        store.delete(key)
    elif etag is None:
        store.put_bytes(key, text.encode(), if_none_match=True)
    elif store.get_bytes(key) != text.encode():
        store.put_bytes(key, text.encode(), if_match=etag)


def _text(store: ObjectStore, pointer: Pointer, name: str) -> str | None:
    """None if the release has no such manifest."""
    path, readdressed = STABLE[name]
    try:
        text = store.get_bytes(release_key(pointer.video_id, pointer.release_id, path)).decode()
    except ObjectMissing:
        return None
    return readdressed(text, pointer.release_id)


def _key(video_id: str) -> str:
    return f"videos/{video_id}/current.json"
