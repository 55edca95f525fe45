"""A backfill over many videos beside the daily work."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline.intake.bull import bull
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.e2e.ui import BACKFILL_SECONDS, EVERY, Ui
from video_pipeline_tests.processes import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1800)]
COUNT, NEW = 20, 4
LAST_PRIORITY = 2_097_151


def test_new_videos_overtake_a_backfill_and_no_run_is_late(
    operated: RunningStack, make_clip: Callable[..., Path]
) -> None:
    ui = Ui(operated.addresses["web"])
    clip = make_clip("backfill.mp4", seconds=1, size="160x90", cuts=False)
    requests = Requests(Index(operated.settings.index_url))
    videos = [f"old-{number:02}" for number in range(COUNT)]
    for video in videos:
        requests.add(video_id=video, source=str(clip), preset="draft")
        ui.add_partition(video)
    backfill_id = ui.backfill(videos)
    # Dagster makes them one after the other, while the first ones run already.
    wait_for(lambda: len(ui.runs(dagster_backfill=backfill_id)) == COUNT, BACKFILL_SECONDS, EVERY)
    # They come later than every run of the backfill, and with the last priority there is.
    queue = bull(operated.settings)
    jobs = [
        queue.add(
            {"schemaVersion": 1, "source": str(clip), "videoId": f"new-{number}", "preset": "draft"},
            priority=LAST_PRIORITY,
        )
        for number in range(NEW)
    ]
    ended = ("completed", "failed")
    wait_for(lambda: all(queue.state(job_id) in ended for job_id in jobs), BACKFILL_SECONDS, EVERY)
    waiting = [run for run in ui.runs(dagster_backfill=backfill_id) if not run.started]
    backfill = sorted(ui.backfilled(backfill_id), key=lambda run: run.started)
    new = [run for number in range(NEW) for run in ui.runs(video_id=f"new-{number}")]

    assert {run.status for run in (*backfill, *new)} == {"SUCCESS"}, "none was late, none was lost"
    assert sorted(run.video for run in backfill) == videos
    assert len(new) == NEW
    assert all(
        int(run.tags["dagster/priority"]) < int(other.tags["dagster/priority"]) for run in backfill for other in new
    )
    assert max(run.created for run in backfill) < min(run.created for run in new)
    assert waiting, "the new ones were done first"
    for other in new:
        # One may have been about to start.
        assert sum(other.created < run.started < other.started for run in backfill) <= 1
    # Of two slots the backfill had one.
    assert all(before.ended <= after.started for before, after in itertools.pairwise(backfill))
    for video in videos:
        assert json.loads((operated.settings.store / "videos" / video / "current.json").read_text())["videoId"] == video
