"""The control queue: how a BullMQ client asks for something about another job. Its jobs are done within a tick.

`cancel` with `{jobId}` or `{videoId}` completes with `{cancelled: [job ids]}`; the jobs themselves fail as cancelled.
"""

from __future__ import annotations

import logging
from typing import Any

import redis
from bullmq import Job as BullJob
from bullmq import UnrecoverableError
from pydantic import ValidationError

from video_pipeline.errors import EntryError, RequestError, ServiceDown
from video_pipeline.intake.bull import Bull
from video_pipeline.intake.messages import CancelAnswer, CancelRequest
from video_pipeline.intake.readable import ReadingWorker

LOCK_MS = 30_000
logger = logging.getLogger(__name__)


class Control:
    """The requests about jobs of one intake queue."""

    def __init__(self, bull: Bull) -> None:
        self._bull = bull
        self._token = bull.ledger.token
        bull.loop.run(self._open())

    async def _open(self) -> None:
        options = {"connection": self._bull.connection, "prefix": self._bull.settings.queue_prefix}
        options |= {"autorun": False, "lockDuration": LOCK_MS}
        self._worker = ReadingWorker(self._bull.control_name, None, options)

    def answer(self) -> None:
        """Does what is asked for, until nothing is."""
        self._requeue()
        while job := self._next():
            try:
                self._answer(job)
            except (ServiceDown, redis.RedisError):
                raise
            except Exception as error:  # one that cannot even be failed shall not keep the others waiting
                logger.warning("request %s: %s", job.id, error)

    def _next(self) -> BullJob | None:
        try:
            return self._bull.loop.run(self._worker.moveToActive(self._token))
        except EntryError as error:
            logger.warning("the next request: %s", error)
            return None

    def _answer(self, job: BullJob) -> None:
        try:
            value = self._do(job)
        except RequestError as error:
            self._bull.loop.run(job.moveToFailed(UnrecoverableError(f"permanent: {error}"), self._token, False))
        else:
            self._bull.loop.run(job.moveToCompleted(value, self._token, False))

    def _requeue(self) -> None:
        """What a killed reconciler had in hand is done again, after all others: it may be what nobody can do. Asking
        twice does no harm."""
        key = self._bull.control_key
        while self._bull.redis.lmove(key("active"), key("wait"), "LEFT", "LEFT"):
            pass

    def _do(self, job: BullJob) -> dict[str, Any]:
        if job.name != "cancel":
            raise RequestError(f"{job.name}: this request is unknown; there is cancel")
        if job.deferredFailure:
            raise RequestError(str(job.deferredFailure))
        try:
            asked = CancelRequest.model_validate(job.data)
        except ValidationError:
            raise RequestError("cancel: give jobId or videoId, a text, and nothing else") from None
        wanted = asked.job_id or asked.video_id
        assert wanted is not None
        cancelled = self._bull.cancel(wanted, jobs_only=asked.job_id is not None)
        return CancelAnswer(cancelled=tuple(cancelled)).data()
