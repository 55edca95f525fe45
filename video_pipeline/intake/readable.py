"""Jobs as BullMQ's Python package can read them. Any client may write anything into a queue, and what raises while it
is read would stop the intake at this job for good."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Mapping
from typing import Any

from bullmq import Job as BullJob
from bullmq import Worker

from video_pipeline.portable import is_utf8

WHOLE = ("delay", "priority", "finishedOn", "processedOn", "ats", "atm", "attemptsMade", "stc")
EXCLUSIVE = ("fpof", "cpof", "idof", "rdof")
"""What becomes of a parent when the job fails: BullMQ's package reads no job that has two of them."""
LARGEST = 2**53 - 1
"""JavaScript's; Lua has no larger one either."""
logger = logging.getLogger(__name__)


def readable(raw: Mapping[str, str], job_id: str) -> dict[str, str]:
    """A job's hash in which every field can be read.

    What is lost is named in `defa`, BullMQ's reason to fail a job without trying it.
    """
    found = {**raw, "opts": json.dumps(_options(raw.get("opts")))}
    found["data"] = raw.get("data", "{}") if _json(raw.get("data", "{}")) is not UNREADABLE else "null"
    found["progress"] = raw.get("progress", "0") if _json(raw.get("progress", "0")) is not UNREADABLE else "0"
    found["stacktrace"] = raw.get("stacktrace", "[]") if isinstance(_json(raw.get("stacktrace", "[]")), list) else "[]"
    if not isinstance(_json(raw.get("parent", "null")), dict):
        found.pop("parent", None)
    for name in WHOLE:
        if name in raw:
            found[name] = str(_whole(raw[name]) or 0)
    found["timestamp"] = str(_whole(raw.get("timestamp")) or round(time.time() * 1000))
    broken = [name for name in ("data", "opts") if name in raw and _json(raw[name]) is UNREADABLE]
    if not is_utf8(job_id):  # from bytes that nothing but Redis could hold
        broken.append("id")
    if broken:
        found["defa"] = f"{' and '.join(broken)} of this job cannot be read"
    return found


def job_of(queue: Any, raw: Mapping[str, str], job_id: str) -> BullJob:
    """A job from its hash; one that cannot be made has no data, and its reason to fail says why."""
    try:
        return BullJob.fromJSON(queue, readable(raw, job_id), job_id)
    except Exception as error:
        return BullJob.fromJSON(queue, _unreadable(raw, job_id, error), job_id)


def scripts_stumble(raw: Mapping[str, str]) -> list[str]:
    """Fields that BullMQ's scripts read themselves and cannot, so that the job could never be ended."""
    return ["parent"] if "parent" in raw and not isinstance(_json(raw["parent"]), dict) else []


def _unreadable(raw: Mapping[str, str], job_id: str, error: Exception) -> dict[str, str]:
    numbers = {name: raw[name] for name in WHOLE if name in raw}
    return {**readable(numbers, job_id), "data": "null", "defa": f"this job cannot be read: {error}"}


class ReadingWorker(Worker):  # type: ignore[misc]
    """Takes jobs that can be read."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.on("error", lambda error: logger.warning("%s", error))  # without a listener it would be raised

    async def nextJobFromJobData(
        self, job_data: dict[str, str] | None = None, job_id: str | None = None, *args: Any
    ) -> BullJob | None:
        if not job_data:
            return await super().nextJobFromJobData(job_data, job_id, *args)
        try:
            return await super().nextJobFromJobData(readable(job_data, str(job_id)), job_id, *args)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            plain = _unreadable(job_data, str(job_id), error)
            return await super().nextJobFromJobData(plain, job_id, *args)


UNREADABLE = object()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return UNREADABLE


def _options(text: str | None) -> dict[str, Any]:
    """Those of a type that BullMQ or we compute with."""
    found = _json(text or "{}")
    if not isinstance(found, dict):
        return {}
    if "attempts" in found:
        found["attempts"] = _whole(found["attempts"]) or 0
    if not isinstance(found.get("parent", {}), dict):
        del found["parent"]
    for name in [name for name in EXCLUSIVE if found.get(name)][1:]:
        del found[name]
    return found


def _whole(value: object) -> int | None:
    """Clocks with fractions of a millisecond are common in Node. What is too large for BullMQ's scripts is cut."""
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        return None
    return None if math.isnan(number) else int(max(-LARGEST, min(LARGEST, number)))
