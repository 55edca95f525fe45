"""Finished chunks of renditions, as checkpoints."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from video_pipeline.media.products import Chunk
from video_pipeline.resources import StoreResource

KIND = "chunk"


class KeptChunks:
    """What `media.renditions.make` asks for chunks."""

    def __init__(self, store: StoreResource) -> None:
        self._objects, self._checkpoints = store.objects, store.checkpoints

    def get(self, key: str) -> tuple[Chunk, Path] | None:
        chunk = self._checkpoints.get(KIND, key, Chunk)
        return (chunk, self._objects.local(chunk.file.key)) if chunk else None

    def put(self, key: str, chunk: Chunk, path: Path) -> Path:
        self._objects.put_file(chunk.file.key, path, move=True)
        self._checkpoints.put(KIND, key, chunk)
        return self._objects.local(chunk.file.key)

    def drop(self, keys: Iterable[str]) -> None:
        """Their rendition is kept, so they need not be."""
        for key in keys:
            self._checkpoints.drop(KIND, key)
