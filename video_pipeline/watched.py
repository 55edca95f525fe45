"""The sensor of the watched directory: another way into the queue."""

import time

import dagster as dg
import redis

from video_pipeline import settings
from video_pipeline.errors import DependencyError
from video_pipeline.intake.bull import bull
from video_pipeline.intake.watched import Watch
from video_pipeline.resources import IndexResource


# Of a sensor Dagster's UI does not show the docstring.
@dg.sensor(
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Puts each video file that appears in a directory (VIDEO_PIPELINE_WATCH_DIR) into the queue, once it "
    "is complete. A file that changes later is a new version of its video. A directory in there that is named like a "
    "preset chooses that preset.",
)
def watched_directory(context: dg.SensorEvaluationContext, index: IndexResource) -> dg.SensorResult:
    """Looks at the directory once; what it saw of files that are not complete yet is its cursor."""
    ours = settings.load()
    if ours.watch_dir is None:
        return _said("no directory is watched (VIDEO_PIPELINE_WATCH_DIR is not set)", context.cursor)
    if ours.redis_url is None:
        return _said("no queue is configured (VIDEO_PIPELINE_REDIS_URL)", context.cursor)
    try:
        outcome = Watch(ours.watch_dir, bull(ours), index.requests).tick(context.cursor, time.time())
    except (DependencyError, redis.RedisError) as error:
        return _said(f"waiting: {error}", context.cursor)
    return _said(outcome.message, outcome.cursor)


def _said(message: str, cursor: str | None) -> dg.SensorResult:
    """It never starts a run itself: the intake does, from the queue."""
    return dg.SensorResult(skip_reason=message, cursor=cursor)
