"""Finished work, kept by what it was made from, so that it is never done twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from video_pipeline.errors import ConflictError, ObjectMissing
from video_pipeline.media.model import Blob
from video_pipeline.stores import leases
from video_pipeline.stores.counted import count
from video_pipeline.stores.disk import explained
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.references import Reference, References

M = TypeVar("M", bound=BaseModel)
SOURCE, PICTURE = "source", "thumbnail"
FROM_OUTSIDE = (SOURCE, PICTURE)
"""The kinds of what came from outside: it counts for no budget, since nobody can make it again."""


class Checkpoints:
    """Results as `checkpoints/<kind>/<key>.json`; the files they name are blobs of the same store.

    `kind` names the step, `key` is a hash over everything that shapes its result. What a process gets or puts stays
    until its lease ends, see `leases`; after that `budget` may drop it.
    """

    def __init__(self, store: LocalStore) -> None:
        self.store = store
        self._references = References(store.root)

    def get(self, kind: str, key: str, model: type[M], *, read: bool = True) -> M | None:
        """The result, or None if it must be made (again): never made or dropped, no readable JSON, written in another
        form by an older version of the program, or a blob of it is gone or damaged. A damaged blob is removed.

        Args:
            read: every blob to its end, to compare its SHA-256; else only its size is looked at.

        Raises:
            HomeError: the store cannot be used.
        """
        lease = leases.hold(self.store.root)
        if not self._renew(kind, key):
            return None
        try:
            found = model.model_validate_json(self.store.get_bytes(checkpoint_key(kind, key)))
        except (ObjectMissing, ValidationError):
            return None
        for blob in blobs_in(found):
            if not self._stands(blob, read):
                return None
            self._references.add(blob, kind, key)
            lease.renewed.add(blob.sha256)
        return found

    def put(self, kind: str, key: str, value: BaseModel) -> None:
        """Call it after the blobs were put: a checkpoint that is there stands.

        Raises:
            ConflictError: a blob is not there: somebody dropped the last checkpoint that named it meanwhile.
            HomeError, DiskFull: as their names say.
        """
        lease = leases.hold(self.store.root)
        blobs = {blob.sha256: blob for blob in blobs_in(value)}.values()
        new = 0
        for blob in blobs:
            with self.store.lock(blob.key):
                if self.store.stat(blob.key) is None:
                    raise ConflictError(f"checkpoint {kind}/{key}: {blob.key} was removed meanwhile; try again")
                if self._references.add(blob, kind, key):
                    new += blob.size
            lease.renewed.add(blob.sha256)
        self.store.put_bytes(checkpoint_key(kind, key), value.model_dump_json(indent=1).encode())
        count(self.store.root, new)

    def drop(self, kind: str, key: str) -> None:
        """Removes a checkpoint, and those of its blobs that no other one needs; a published release has its own. Does
        nothing if there is none."""
        name = checkpoint_key(kind, key)
        try:
            written = self.store.get_bytes(name)
        except ObjectMissing:
            return
        # Not synced: one that is back after a power failure has no blob, so nobody takes it.
        with explained(), self.store.lock(name):
            (self.store.root / name).unlink(missing_ok=True)
        for blob in _written(written):
            self.forget(Reference(blob.sha256, kind, key))

    def forget(self, reference: Reference, made_before: int | None = None) -> int:
        """Removes what a checkpoint that is gone leaves behind: how many bytes of a blob that nobody else needs.

        Args:
            made_before: a reference that was made later stays, ns; None for whenever.
        """
        blob = Blob(sha256=reference.sha256, size=0)
        with self.store.lock(blob.key):
            if made_before is not None and self._references.made(reference) >= made_before:
                return 0
            self._references.remove(reference)
            if self._references.of(reference.sha256):
                return 0
            path = self.store.root / blob.key
            try:
                found = path.stat()
                path.unlink()
            except FileNotFoundError:
                return 0
        count(self.store.root, -found.st_size)
        return found.st_size if found.st_nlink == 1 else 0

    def renew(self, blobs: Iterable[Blob]) -> list[Blob]:
        """Tells that these are used now, so that the checkpoints which name them stay; those that are gone."""
        lease = leases.hold(self.store.root)
        gone = []
        for blob in blobs:
            if blob.sha256 not in lease.renewed:
                for reference in self._references.of(blob.sha256):
                    self._renew(*reference.checkpoint)
                lease.renewed.add(blob.sha256)
            if self.store.stat(blob.key) is None:
                gone.append(blob)
        return gone

    def _renew(self, kind: str, key: str) -> bool:
        """Notes the use; False if there is no such checkpoint."""
        name = checkpoint_key(kind, key)
        try:
            with explained(), self.store.lock(name):
                os.utime(self.store.root / name)
        except ObjectMissing:
            return False
        return True

    def _stands(self, blob: Blob, read: bool) -> bool:
        stat = self.store.stat(blob.key)
        if stat is None:
            return False
        if read or stat.size != blob.size:
            return self.store.whole(blob.key) and stat.size == blob.size
        return True


def blobs_in(value: object) -> Iterator[Blob]:
    """Every `Blob` anywhere inside a model."""
    if isinstance(value, Blob):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from blobs_in(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from blobs_in(item)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from blobs_in(item)


def checkpoint_key(kind: str, key: str) -> str:
    """The object of a checkpoint."""
    return f"checkpoints/{kind}/{key}.json"


def _written(text: bytes) -> Iterator[Blob]:
    """Every blob named in the JSON of a checkpoint, whatever its model."""
    found: list[Blob] = []

    def take(value: dict[str, Any]) -> dict[str, Any]:
        if value.keys() == {"sha256", "size"}:
            found.append(Blob.model_validate(value))
        return value

    with suppress(ValueError):
        json.loads(text, object_hook=take)
    yield from {blob.sha256: blob for blob in found}.values()
