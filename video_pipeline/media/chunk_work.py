"""The chunks of one family's rungs on one way through the source: which are done, and which are to be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from video_pipeline.media import encode
from video_pipeline.media.chunks import chunks
from video_pipeline.media.kept import Kept
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Chunk, ChunkMap
from video_pipeline.media.tools import Tools, build
from video_pipeline.media.video_plan import RungPlan


@dataclass
class Work:
    """Chunks by their number and the name of their rung."""

    plan: EncodingPlan
    pieces: tuple[EncodingPlan, ...]
    rungs: Sequence[RungPlan]
    place: Path
    """A directory for what is being made."""
    keys: dict[tuple[int, str], str]
    done: dict[tuple[int, str], tuple[Chunk, Path]]
    encoded: int = 0
    shares: dict[int, float] = field(default_factory=dict)

    def missing(self, number: int) -> list[RungPlan]:
        return [rung for rung in self.rungs if (number, rung.name) not in self.done]

    def map_of(self, number: int) -> ChunkMap | None:
        return next((chunk.map for (n, _), (chunk, _) in self.done.items() if n == number and chunk.map), None)

    @property
    def share(self) -> float:
        """Done, 0 to 1."""
        return sum(self.shares.get(n, 0.0) * piece.frames for n, piece in enumerate(self.pieces)) / self.plan.frames


def work_of(tools: Tools, plan: EncodingPlan, rungs: Sequence[RungPlan], kept: Kept, way: str, place: Path) -> Work:
    """With the chunks that are kept.

    Args:
        way: in which the source is read; a part of the keys.
        place: a directory for what is being made.
    """
    pieces = chunks(plan)
    keys = {
        (n, rung.name): f"{way}-{encode.checkpoint_key(piece, rung, build(tools))}"
        for n, piece in enumerate(pieces)
        for rung in rungs
    }
    found = {at: kept.get(key) for at, key in keys.items()}
    there = {at: one for at, one in found.items() if one is not None}
    return Work(plan, pieces, rungs, place, keys, there)
