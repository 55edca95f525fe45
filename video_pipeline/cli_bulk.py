"""The command submit-csv."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from video_pipeline import settings
from video_pipeline.errors import RequestError
from video_pipeline.intake.bulk import Bulk, load
from video_pipeline.services.stack import running

NEW = "enqueued"


@click.command("submit-csv")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check every row and show what would be enqueued; needs no queue.")
@click.option("--priority", type=click.IntRange(0, 2_097_151), default=0, help="0 goes first, then 1, 2, ...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def submit_csv(file: Path, dry_run: bool, priority: int, as_json: bool) -> None:
    """Put every row of the CSV FILE into the queue, or none if one of them is bad.

    The first line names the columns: source, videoId, preset, title, description, tags (separated by semicolons), trim
    (start:end), thumbnailsAt (likewise), poster, thumbnail, audio, subtitles (language=file, likewise), and
    metadata.<key> for custom fields; only source is needed, and may be relative to FILE. Doing it twice enqueues
    nothing twice: a row with the same content is the same job.
    """
    bulk = load(file, settings.load().presets_dir)
    if bulk.problems:
        _refuse(file, bulk, as_json)
    rows: list[dict[str, Any]] = [{"line": one.line, "jobId": one.job_id, **one.job.data()} for one in bulk.lines]
    if dry_run:
        text = f"{_table(rows)}\n{len(rows)} rows can be enqueued; nothing was (--dry-run)"
        enqueued = 0
    else:
        states = _enqueue(bulk, priority)
        rows = [{**row, "state": states[row["jobId"]]} for row in rows]
        known = [row for row in rows if row["state"] != NEW]
        enqueued = len(rows) - len(known)
        text = f"{enqueued} jobs were enqueued"
        if known:
            text += f"; {len(known)} were known already and stay as they are:\n{_table(known)}"
    print(json.dumps({"enqueued": enqueued, "rows": rows, "errors": []}, ensure_ascii=False) if as_json else text)


def _enqueue(bulk: Bulk, priority: int) -> dict[str, str]:
    """Job id to `NEW`, or what became of it before."""
    from video_pipeline.intake import once
    from video_pipeline.intake.bull import bull
    from video_pipeline.stores.index import Index
    from video_pipeline.stores.requests import Requests

    ours = running(settings.load())
    index = Index(ours.index_url)
    index.upgrade()
    queue = bull(ours)
    jobs = {line.job_id: line.job.data() for line in bulk.lines}
    new = once.enqueue(queue, Requests(index), jobs, priority=priority, attempts=ours.queue_max_attempts)
    before = {job_id: queue.state(job_id) for job_id in jobs if job_id not in new}
    gone = {job_id: "removed" for job_id, state in before.items() if state == "unknown"}
    return {**before, **gone, **dict.fromkeys(new, NEW)}


def _table(rows: list[dict[str, Any]]) -> str:
    shown = [name for name in ("line", "videoId", "preset", "title", "source", "state") if any(name in r for r in rows)]
    table: str = tabulate([[row.get(name, "") for name in shown] for row in rows], shown, disable_numparse=True)
    return table


def _refuse(file: Path, bulk: Bulk, as_json: bool) -> None:
    """Raises; every error is shown before."""
    if as_json:
        errors = [{"line": one.line, "column": one.column, "message": one.message} for one in bulk.problems]
        print(json.dumps({"enqueued": 0, "rows": [], "errors": errors}, ensure_ascii=False))
    else:
        for problem in bulk.problems:
            print(f"{file}: {problem}", file=sys.stderr)
    bad = len({problem.line for problem in bulk.problems})
    raise RequestError(f"{file}: {bad} of its rows cannot be used, so nothing was enqueued")
