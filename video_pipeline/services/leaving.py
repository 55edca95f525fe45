"""How a worker leaves: it takes no new run, finishes what it executes, and ends with exit code 0."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.worker import state
from kombu.exceptions import ChannelError

from video_pipeline.execution.celery_app import QUEUE
from video_pipeline.execution.slots import workers
from video_pipeline.settings import Settings

logger = logging.getLogger(__name__)
GRACE_SECONDS = 3.0
"""Dagster's daemon may have looked at the slots a moment before they were withdrawn, and launch a run for them."""
LOOK_SECONDS = 0.5


class Leaving:
    """One per worker process."""

    def __init__(self, settings: Settings, app: Celery, worker: str, withdraw: Callable[[], None]) -> None:
        """`withdraw` takes the worker's slots back, and leads to `begin`."""
        self._settings, self._app, self._name, self._withdraw = settings, app, worker, withdraw
        self._consumer: Any = None
        self._pid, self._signalled = os.getpid(), False

    def take_signals(self, consumer: Any) -> None:
        """SIGTERM and SIGHUP let the worker leave. Celery itself would go before anybody knows, and start anew on
        SIGHUP. For the main thread, once Celery's consumer works."""
        self._consumer = consumer
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        if os.getpid() != self._pid:
            return  # a child that Celery has just forked
        if self._signalled:
            os.kill(self._pid, signal.SIGQUIT)  # who says it twice does not want to wait
        self._signalled = True
        self._withdraw()

    def begin(self) -> None:
        """Returns at once; the worker ends when nothing is left to do."""
        threading.Thread(target=self._leave, daemon=True, name="leaving").start()

    def _leave(self) -> None:
        logger.info("this worker takes no new runs, and ends when it has finished those it executes")
        try:
            if self._consumer is not None:
                self._finish_launched()
        except Exception as error:  # whatever it is, it must not keep the worker here
            logger.warning("leaves without another look at its queue: %s", error)
        finally:
            state.should_stop = os.EX_OK

    def _finish_launched(self) -> None:
        """Takes nothing any more, but for runs that were launched for its slots and that nobody else can execute."""
        self._call(self._consumer.cancel_task_queue)
        _wait(GRACE_SECONDS)
        while self._launched() and not self._others_are_free():
            self._call(self._consumer.add_task_queue)
            while self._launched():
                _wait(LOOK_SECONDS)
            self._call(self._consumer.cancel_task_queue)
            _wait(LOOK_SECONDS)

    def _call(self, what: Callable[[str], None]) -> None:
        """In the loop of Celery's main thread."""
        self._consumer.call_soon(what, QUEUE)

    def _launched(self) -> int:
        """Runs that wait for a worker with this code."""
        with self._app.connection_for_read() as connection:
            try:
                return int(connection.default_channel.queue_declare(QUEUE, passive=True).message_count)
            except ChannelError:
                return 0  # an empty list does not exist

    def _others_are_free(self) -> bool:
        others = [worker for worker in workers(self._settings) if worker.open and worker.name != self._name]
        return any(worker.slots > worker.busy for worker in others)


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)
