"""`video-pipeline checkpoints`: how much finished work is kept, and dropping it."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone

import click

from video_pipeline import settings
from video_pipeline.stores import budget, leases
from video_pipeline.stores.objects import LocalStore


@click.command()
@click.option("--evict", is_flag=True, help="Drop the least recently used down to the budget, now.")
@click.option("--keep", type=click.FloatRange(min=0), help="With --evict: GB to keep, in place of the budget.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def checkpoints(evict: bool, keep: float | None, as_json: bool) -> None:
    """How many bytes of finished work are kept for the next run, since when, and how many are in use by live runs."""
    if keep is not None and not evict:
        raise click.UsageError("--keep goes with --evict")
    ours = settings.load()
    store, dropped = LocalStore(ours.store), 0
    if evict:
        outcome = budget.evict(store, ours.checkpoint_bytes if keep is None else round(keep * 1e9))
        if outcome is None:
            raise click.ClickException("another process is dropping checkpoints; try again in a moment")
        dropped = outcome.dropped
    found = budget.look(store)
    horizon = leases.oldest(ours.store) if found else time.time_ns()
    oldest = datetime.fromtimestamp(found[0].used / 1e9, timezone.utc).isoformat(timespec="seconds") if found else None
    kept, in_use = (sum(blob.size for blob in found if blob.used >= since) for since in (0, horizon))
    told = {
        "files": len(found),
        "bytes": kept,
        "bytesInUse": in_use,
        "bytesDropped": dropped,
        "budgetBytes": ours.checkpoint_bytes,
        "leastRecentlyUsed": oldest,
    }
    if as_json:
        print(json.dumps(told))
        return
    if evict:
        print(f"dropped {dropped / 1e9:.3f} GB")
    print(
        f"{kept / 1e9:.3f} GB in {len(found)} files are kept, {in_use / 1e9:.3f} GB of it in use; "
        f"the budget is {ours.checkpoint_gb:g} GB (VIDEO_PIPELINE_CHECKPOINT_GB)"
    )
    if oldest:
        print(f"least recently used: {oldest}")
