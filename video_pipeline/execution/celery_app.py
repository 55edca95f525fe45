"""The Celery app that launcher and worker share."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from celery import Celery
from dagster_celery.make_app import make_app

from video_pipeline.connection import url
from video_pipeline.execution.version import CODE_VERSION
from video_pipeline.settings import Settings

QUEUE = f"runs-{CODE_VERSION}"
"""A worker reads only the queue of the code it has loaded, so it never gets a run of another version."""
BROKER_DATABASE = "/1"
CONFIG = {
    # No run is reserved behind a long encode: a child takes a message when it is free.
    "worker_disable_prefetch": True,
    "worker_prefetch_multiplier": 1,
    "task_track_started": True,
    "result_expires": 24 * 3600,
    # Lost runs are found by their heartbeat and started anew as other runs, never redelivered.
    "task_acks_late": False,
    "broker_connection_retry_on_startup": True,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}


def broker_url(settings: Settings) -> str:
    """Celery's database on the same server, unless another one is set."""
    if settings.broker_url is not None:
        return settings.broker_url
    parts = urlsplit(url(settings))
    return urlunsplit(parts._replace(path=BROKER_DATABASE))


def make(settings: Settings) -> Celery:
    """An app for this broker."""
    address = broker_url(settings)
    app: Celery = make_app(  # type: ignore[no-untyped-call]
        {"broker": address, "backend": address, "config_source": CONFIG, "task_default_queue": QUEUE}
    )
    return app
