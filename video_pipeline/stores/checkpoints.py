"""Finished work, kept by what it was made from, so that it is never done twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from video_pipeline.errors import ObjectMissing
from video_pipeline.media.model import Blob
from video_pipeline.stores.objects import ObjectStore

M = TypeVar("M", bound=BaseModel)


class Checkpoints:
    """Results as `checkpoints/<kind>/<key>.json`; the files they name are blobs of the same store.

    `kind` names the step, `key` is a hash over everything that shapes its result.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    def get(self, kind: str, key: str, model: type[M]) -> M | None:
        """The result, or None if it must be made (again): never made, a blob of it is gone or has another size, or
        an older version of the program wrote it in another form."""
        try:
            found = model.model_validate_json(self.store.get_bytes(_name(kind, key)))
        except (ObjectMissing, ValidationError):
            return None
        for blob in blobs_in(found):
            stat = self.store.stat(blob.key)
            if stat is None or stat.size != blob.size:
                return None
        return found

    def put(self, kind: str, key: str, value: BaseModel) -> None:
        """Call it after the blobs were put: a checkpoint that is there stands."""
        self.store.put_bytes(_name(kind, key), value.model_dump_json(indent=1).encode())

    def drop(self, kind: str, key: str) -> None:
        """Removes a checkpoint; does nothing if there is none."""
        self.store.delete(_name(kind, key))


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


def _name(kind: str, key: str) -> str:
    return f"checkpoints/{kind}/{key}.json"
