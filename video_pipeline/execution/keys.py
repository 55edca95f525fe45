"""Names of our own keys in Redis. BullMQ's are BullMQ's."""

from __future__ import annotations

from video_pipeline.settings import Settings

HEARTBEAT_SECONDS, HEARTBEAT_TTL = 2.0, 6
"""A run beats every two seconds; one that did not for six is lost."""
CANCEL_TTL = 7 * 24 * 3600


class Keys:
    """All under one prefix with a hash tag, so that a cluster keeps them on one node."""

    def __init__(self, settings: Settings) -> None:
        self._prefix = settings.key_prefix
        self._queue = f"{settings.queue_prefix}:{settings.queue}"

    def _key(self, *parts: str) -> str:
        return ":".join((self._prefix, *parts))

    def alive(self, run_id: str) -> str:
        """Exists while a worker executes the run."""
        return self._key("alive", run_id)

    def cancel(self, run_id: str) -> str:
        """Exists once the run shall stop."""
        return self._key("cancel", run_id)

    @property
    def cancels(self) -> str:
        """A set: jobs that shall be cancelled, until they are."""
        return self._key("cancels")

    @property
    def workers(self) -> str:
        """A sorted set: worker announcements by the time they expire."""
        return self._key("workers")

    def drain(self, worker: str) -> str:
        """Exists once the worker shall take no more runs, finish those it executes, and end."""
        return self._key("drain", worker)

    @property
    def running(self) -> str:
        """A hash: run id to the name of the worker that executes it."""
        return self._key("running")

    @property
    def wake(self) -> str:
        """A sorted set: who wants the intake sensor to look at once, such as an ended run. Beside BullMQ's keys, since
        one command waits for it and for BullMQ's markers."""
        return f"{self._queue}-wake"

    @property
    def token(self) -> str:
        """The token of our BullMQ locks: kept here, so that any process can settle any job."""
        return self._key("token")

    @property
    def epoch(self) -> str:
        """Tells this queue's life from another's in Dagster's run keys."""
        return self._key("epoch")

    @property
    def claims(self) -> str:
        """A hash: job id to what was claimed."""
        return self._key("claims")

    @property
    def claim_counter(self) -> str:
        return self._key("claim-counter")

    def postponed(self, job_id: str) -> str:
        """Counts how often a job was put off since it last got on."""
        return self._key("postponed", job_id)

    @property
    def lease(self) -> str:
        """Who reconciles."""
        return self._key("reconciler")

    @property
    def progress(self) -> str:
        """The stream of progress."""
        return self._key("progress")

    def video(self, video_id: str) -> str:
        """A hash: the last word on a video: its job, its state and its progress."""
        return self._key("video", video_id)
