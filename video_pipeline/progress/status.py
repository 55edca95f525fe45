"""What goes on: the queue, the workers, and the videos being processed; or all that is known of one video."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from tabulate import tabulate

from video_pipeline.errors import RequestError
from video_pipeline.execution.slots import Worker, workers
from video_pipeline.execution.version import CODE_VERSION
from video_pipeline.intake.bull import Bull, bull
from video_pipeline.intake.room import room
from video_pipeline.settings import Settings
from video_pipeline.stores.index import Index
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.releases import current
from video_pipeline.stores.requests import Requests

SHOWN = 20
"""Of the jobs that come back later."""


def overall(settings: Settings) -> dict[str, Any]:
    """Jobs by state, workers, and every video that is being processed.

    Raises:
        ServiceDown: the queue does not answer.
    """
    queue, there = bull(settings), workers(settings)
    return {
        "queue": queue.counts(),
        "paused": queue.paused(),
        "workers": [
            {
                "name": worker.name,
                "slots": worker.slots,
                "busy": worker.busy,
                "code": worker.code,
                "sameCode": worker.code == CODE_VERSION,
                "draining": worker.draining,
            }
            for worker in there
        ],
        "videos": [
            {"videoId": claim.video_id, "jobId": job_id, **_progress(queue.ledger.notes(claim.video_id))}
            for job_id, claim in queue.ledger.claims().items()
        ],
        "comingBack": [_coming_back(queue, job_id, due) for job_id, due in queue.delayed(SHOWN).items()],
        "idle": room(settings, 0, 0).why or _nobody(there),
    }


def _coming_back(queue: Bull, job_id: str, due: float) -> dict[str, Any]:
    job = queue.job(job_id)
    data = job.data if job and isinstance(job.data, dict) else {}
    return {
        "videoId": data.get("videoId"),
        "jobId": job_id,
        "nextAttempt": _time(due),
        "reason": (job.failedReason if job else None) or None,
    }


def _time(due: float | None) -> str | None:
    """UTC, ISO 8601."""
    return None if due is None else datetime.fromtimestamp(due, timezone.utc).isoformat(timespec="seconds")


def of_video(settings: Settings, video_id: str) -> dict[str, Any]:
    """Its request, its jobs, its progress and its release.

    Raises:
        RequestError: nobody has heard of it.
        ServiceDown: the queue does not answer.
    """
    queue = bull(settings)
    index = Index(settings.index_url)
    index.upgrade()
    request = Requests(index).latest(video_id)
    jobs = [_job(queue, job_id) for job_id in sorted(queue.find(video_id), key=lambda one: (len(one), one))]
    notes = queue.ledger.notes(video_id)
    if request is None and not jobs and not notes:
        raise RequestError(f"video {video_id} is not known")
    pointer = current(LocalStore(settings.store), video_id)
    return {
        "videoId": video_id,
        "source": request.source if request else None,
        "preset": request.preset if request else None,
        "title": request.title if request else None,
        "requestVersion": request.version if request else None,
        "jobs": jobs,
        "state": notes.get("state") or (jobs[0]["state"] if jobs else "published" if pointer else None),
        "reason": notes.get("reason") or None,
        "progress": _progress(notes),
        "releaseId": pointer.release_id if pointer else None,
        "release": f"videos/{video_id}/releases/{pointer.release_id}" if pointer else None,
    }


def _job(queue: Bull, job_id: str) -> dict[str, Any]:
    job = queue.job(job_id)
    reason = (job.failedReason if job else None) or None
    state = queue.state(job_id)
    return {"jobId": job_id, "state": state, "nextAttempt": _time(queue.due(job_id)), "lastFailure": reason}


def _progress(notes: dict[str, str]) -> dict[str, Any]:
    if "stage" not in notes:
        return {}
    return {"stage": notes["stage"], "fraction": float(notes["fraction"]), "percent": float(notes["percent"])}


def text(found: dict[str, Any]) -> str:
    """For people."""
    if "queue" not in found:
        return str(tabulate([(name, _plain(value)) for name, value in found.items()], tablefmt="plain"))
    counts = ", ".join(f"{count} {state}" for state, count in found["queue"].items() if count)
    parts = [f"queue: {counts or 'empty'}"]
    if found["workers"]:
        rows = [(one["name"], one["slots"], one["busy"], _code(one), _state(one)) for one in found["workers"]]
        parts.append(tabulate(rows, headers=("worker", "slots", "busy", "code", "state"), tablefmt="plain"))
    if found["paused"]:
        parts.append("the queue is paused: no job is taken until `video-pipeline resume`")
    if found["idle"]:
        parts.append(found["idle"])
    if found["videos"]:
        parts.append(tabulate(found["videos"], headers="keys", tablefmt="plain"))
    if found["comingBack"]:
        parts.append(tabulate(found["comingBack"], headers="keys", tablefmt="plain"))
    return "\n".join(parts)


def _nobody(there: list[Worker]) -> str:
    return "" if any(worker.open for worker in there) else "no job is taken: every worker is finishing its last runs"


def _code(worker: dict[str, Any]) -> str:
    return f"{worker['code']} ({'same' if worker['sameCode'] else 'other'})"


def _state(worker: dict[str, Any]) -> str:
    if worker["draining"]:
        return "draining: takes no new runs, ends when it has none"
    return "takes runs" if worker["sameCode"] else "takes no runs of this code: restart it"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items() if inner is not None)
    if isinstance(value, list):
        return "; ".join(map(_plain, value))
    return "" if value is None else str(value)
