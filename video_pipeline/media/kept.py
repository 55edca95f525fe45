"""Where finished chunks of renditions are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from video_pipeline.media.products import Chunk


class Kept(Protocol):
    """Where finished chunks are."""

    def get(self, key: str) -> tuple[Chunk, Path] | None:
        """A chunk as it was put, and its file; None if it must be made."""

    def put(self, key: str, chunk: Chunk, path: Path) -> Path:
        """Keeps it, and returns the file to read it from; `path` may be gone then."""


class NothingKept:
    """Chunks stay where they were made."""

    def get(self, key: str) -> None:
        return None

    def put(self, key: str, chunk: Chunk, path: Path) -> Path:
        return path
