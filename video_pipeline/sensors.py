"""The intake sensor: the reconciler, once per tick."""

import functools
import os
import socket
import threading
import uuid

import dagster as dg
import redis

from video_pipeline import settings
from video_pipeline.errors import ConflictError, DependencyError
from video_pipeline.intake.active import Active
from video_pipeline.intake.bull import bull
from video_pipeline.intake.control import Control
from video_pipeline.intake.reconcile import Reconciler
from video_pipeline.jobs import process_video
from video_pipeline.partitions import videos
from video_pipeline.resources import IndexResource

_ticking = threading.Lock()
"""Dagster evaluates a sensor in any of its threads: for a second daemon, or for a dry run in the UI."""


@functools.cache
def _owner(_pid: int) -> str:
    """Who holds the lease; containers may share a host's name and number their processes alike."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@functools.cache
def _held(ours: settings.Settings, _pid: int) -> tuple[Active, Control]:
    """Those of this process; a fork gets its own."""
    return Active(bull(ours)), Control(bull(ours))


# An interval of 0 would mean 30 seconds.
@dg.sensor(
    job=process_video,
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes videos from the queue while workers are free, and settles those that have ended.",
)
def intake(context: dg.SensorEvaluationContext, index: IndexResource) -> dg.SensorResult | dg.SkipReason:
    """Takes videos from the queue while workers are free, and settles finished ones: completed, failed for good, or
    back into the queue for another attempt. Waits for jobs inside its tick, so ticks follow each other closely."""
    ours = settings.load()
    if ours.redis_url is None:
        return dg.SkipReason("no queue is configured (VIDEO_PIPELINE_REDIS_URL)")
    if not _ticking.acquire(blocking=False):
        return dg.SkipReason("another tick is under way in this process")
    try:
        queue, owner = bull(ours), _owner(os.getpid())
        number = queue.ledger.lease(owner)
        if number is None:
            return dg.SkipReason("another daemon has the intake; this one takes over when that one is gone")
        keep = functools.partial(queue.ledger.keep, owner, number)
        active, control = _held(ours, os.getpid())
        reconciler = Reconciler(active, control, index.requests, context.instance, keep=keep)
        wanted = reconciler.tick()
    except (DependencyError, ConflictError, redis.RedisError) as error:
        return dg.SkipReason(f"waiting: {error}")
    finally:
        _ticking.release()
    if not wanted:
        return dg.SkipReason(reconciler.why_idle or "nothing new")
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=run.run_key, partition_key=run.video_id, tags=run.tags) for run in wanted],
        dynamic_partitions_requests=[videos.build_add_request([run.video_id for run in wanted])],
    )
