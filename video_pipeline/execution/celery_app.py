"""The Celery app that launcher and worker share."""

from __future__ import annotations

from typing import Any

from celery import Celery
from dagster_celery.make_app import make_app

from video_pipeline.execution.broker import broker
from video_pipeline.execution.version import CODE_VERSION
from video_pipeline.settings import Settings

QUEUE = f"runs-{CODE_VERSION}"
"""A worker reads only the queue of the code it has loaded, so it never gets a run of another version."""
CONFIG = {
    # No run is reserved behind a long encode: a child takes a message when it is free.
    "worker_disable_prefetch": True,
    "worker_prefetch_multiplier": 1,
    # How a run ended is in Dagster's storage; nobody reads Celery's results, so none wait for the broker.
    "task_ignore_result": True,
    # Lost runs are found by their heartbeat and started anew as other runs, never redelivered.
    "task_acks_late": False,
    # A broker that is away comes back; what runs meanwhile goes on.
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
}


def app_options(settings: Settings) -> tuple[str, dict[str, Any]]:
    """The broker's URL, and all of Celery's settings. Raises as `broker`."""
    address, options = broker(settings)
    return address, {**CONFIG, **options}


def make(settings: Settings) -> Celery:
    """An app for this broker."""
    address, options = app_options(settings)
    app: Celery = make_app(  # type: ignore[no-untyped-call]
        {"broker": address, "config_source": options, "task_default_queue": QUEUE}
    )
    return app
