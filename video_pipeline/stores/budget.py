"""The size of all checkpoints is bounded: the least recently used go first, never one in use.

What counts are blobs that only checkpoints need: no sources, and nothing a release has too, since a hard link is the
same bytes. The checkpoints' own JSON, some kB each, is neither counted nor dropped: it is cheap and saves work.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from video_pipeline.errors import PipelineError
from video_pipeline.media.model import Blob
from video_pipeline.stores import leases
from video_pipeline.stores.checkpoints import FROM_OUTSIDE, Checkpoints, checkpoint_key
from video_pipeline.stores.counted import correct, counted
from video_pipeline.stores.disk import try_locked
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.references import Reference, References

logger = logging.getLogger(__name__)
SLACK = 0.1
"""Share of the budget that is freed beyond need, so that there is seldom a need to look at everything."""


@dataclass(frozen=True)
class Kept:
    """A blob that only checkpoints need."""

    sha256: str
    size: int
    """bytes"""
    used: int
    """When one of its checkpoints was last used, ns; by the file system's clock."""
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class Outcome:
    kept: int
    """bytes, as all here"""
    dropped: int
    in_use: int
    """Of what is kept: used since the oldest live run began."""


@contextmanager
def working(store: LocalStore, budget: int) -> Iterator[None]:
    """Around a run: afterwards its lease ends, and the checkpoints are trimmed to `budget` bytes. What goes wrong with
    that is not the run's matter, it is logged."""
    try:
        yield
    finally:
        try:
            leases.end(store.root)
            trim(store, budget)
        except (PipelineError, OSError) as error:
            logger.warning("checkpoints could not be trimmed: %s", error)


def trim(store: LocalStore, budget: int) -> Outcome | None:
    """Drops the least recently used if checkpoints keep more than `budget` bytes; None if there was no need to look,
    or somebody else is at it. Costs the reading of one number while there is room.

    Raises:
        HomeError: the store cannot be used.
    """
    before = counted(store.root)
    if before is not None and before <= budget:
        return None
    return evict(store, round(budget * (1 - SLACK)), only_above=budget)


def relieve(store: LocalStore, wanted: int) -> Outcome | None:
    """Drops the least recently used until the store's file system has `wanted` bytes free, or nothing more can go.
    Returns and raises as `trim`."""
    missing = wanted - shutil.disk_usage(store.root).free
    if missing <= 0:
        return None
    return evict(store, max(0, sum(blob.size for blob in look(store)) - missing))


def halve(store: LocalStore) -> Outcome | None:
    """Drops half of what may go. Returns and raises as `trim`."""
    horizon, found = leases.oldest(store.root), look(store)
    idle = sum(blob.size for blob in found if blob.used < horizon)
    return evict(store, sum(blob.size for blob in found) - (idle + 1) // 2)


def evict(store: LocalStore, keep: int, *, only_above: int | None = None) -> Outcome | None:
    """Drops the least recently used until checkpoints keep at most `keep` bytes, or all that is left is in use.

    Args:
        only_above: drop nothing if no more than this is kept.

    Returns and raises as `trim`.
    """
    place = store.root / "checkpoints"
    if not place.is_dir():
        return Outcome(0, 0, 0)
    with try_locked(place / ".evicting") as alone:
        if not alone:
            return None
        # First: whoever begins later uses what it uses later.
        horizon = leases.oldest(store.root)
        before, found = counted(store.root), look(store)
        total = sum(blob.size for blob in found)
        dropped = 0
        if total > (keep if only_above is None else only_above):
            dropped = _drop(store, found, total - keep, horizon)
        # What was dropped has been counted.
        correct(store.root, before, total)
    return Outcome(total - dropped, dropped, sum(blob.size for blob in found if blob.used >= horizon))


def look(store: LocalStore) -> list[Kept]:
    """Every blob that only checkpoints need, the least recently used first."""
    by_blob: defaultdict[str, list[Reference]] = defaultdict(list)
    root, references = str(store.root), References(store.root)
    for reference in references.all():
        by_blob[reference.sha256].append(reference)
    used: dict[tuple[str, str], int] = {}
    kept = []
    for sha256, named in by_blob.items():
        if any(reference.kind in FROM_OUTSIDE for reference in named):
            continue
        try:
            stat = os.stat(f"{root}/{Blob(sha256=sha256, size=0).key}")
        except FileNotFoundError:
            stat = None
        if stat is not None and stat.st_nlink > 1:
            continue
        for reference in named:
            if reference.checkpoint not in used:
                used[reference.checkpoint] = _used(root, reference)
        last = max(used[reference.checkpoint] or references.made(reference) for reference in named)
        kept.append(Kept(sha256, stat.st_size if stat else 0, last, tuple(named)))
    return sorted(kept, key=lambda blob: blob.used)


def _drop(store: LocalStore, found: list[Kept], wanted: int, horizon: int) -> int:
    """Bytes that were freed."""
    of: defaultdict[tuple[str, str], set[Reference]] = defaultdict(set)
    for blob in found:
        for reference in blob.references:
            of[reference.checkpoint].add(reference)
    checkpoints, freed = Checkpoints(store), 0
    for blob in found:
        if freed >= wanted or blob.used >= horizon:
            break
        for checkpoint in {reference.checkpoint for reference in blob.references}:
            if _unused(store, *checkpoint, horizon):
                freed += sum(checkpoints.forget(reference, horizon) for reference in of.pop(checkpoint, ()))
    return freed


def _unused(store: LocalStore, kind: str, key: str, horizon: int) -> bool:
    """Removes a checkpoint, unless somebody began to use it meanwhile; whether it is gone."""
    path = store.root / checkpoint_key(kind, key)
    with store.lock(checkpoint_key(kind, key)):
        try:
            if path.stat().st_mtime_ns >= horizon:
                return False
            path.unlink()
        except FileNotFoundError:
            pass
    return True


def _used(root: str, reference: Reference) -> int:
    """When its checkpoint was, ns; 0 if that is not there."""
    try:
        return os.stat(f"{root}/{checkpoint_key(*reference.checkpoint)}").st_mtime_ns
    except FileNotFoundError:
        return 0
