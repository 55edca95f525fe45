"""The same thing asked for again, in every way there is. Each test has a clip of a length of its own: what was encoded
before is not encoded again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from video_pipeline_tests.e2e import jobs
from video_pipeline_tests.e2e.apart import Apart
from video_pipeline_tests.processes import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def value(stack: Apart, job_id: str) -> dict[str, Any]:
    """What the producer gets."""
    found: dict[str, Any] = json.loads(jobs.fields(stack, job_id)["returnvalue"])
    return found


def test_the_same_job_id_is_one_job(apart: Apart, make_clip: Callable[..., Path]) -> None:
    clip = make_clip("only.mp4", seconds=5, size="640x360")
    first = jobs.add(apart, clip, "only", preset="web", jobId="order-1234")
    # While it waits or is taken, while it is encoded, and when it is done.
    assert jobs.add(apart, clip, "only", preset="web", jobId="order-1234") == first == "order-1234"
    apart.encoding()
    assert jobs.add(apart, clip, "other", preset="draft", jobId="order-1234") == first
    assert jobs.ended(apart, first) == "completed"
    assert jobs.add(apart, clip, "only", preset="web", jobId="order-1234") == first
    # One that comes after it is done; so whatever the last one could have started would have begun.
    assert jobs.ended(apart, jobs.add(apart, clip, "only-after", preset="web")) == "completed"
    assert [run.status.value for run in jobs.runs(apart, first)] == ["SUCCESS"]
    assert value(apart, first)["videoId"] == "only"
    assert [event["jobId"] for _, event in jobs.events(apart, "completed")].count(first) == 1
    assert len(os.listdir(apart.settings.store / "videos" / "only" / "releases")) == 1
    assert not (apart.settings.store / "videos" / "other").exists()


def test_the_same_source_and_preset_cost_a_lookup_and_a_publish(apart: Apart, make_clip: Callable[..., Path]) -> None:
    clip = make_clip("twins.mp4", seconds=4, size="640x360")
    first = jobs.add(apart, clip, "twin-1", preset="premium")
    assert jobs.ended(apart, first) == "completed"
    before = apart.calls("-i")
    second = jobs.add(apart, clip, "twin-2", preset="premium")
    assert jobs.ended(apart, second) == "completed"
    # ffmpeg was given nothing to read: neither to encode nor to look at pictures.
    assert apart.calls("-i") == before > 0
    (run,) = jobs.runs(apart, second)
    made = rendition_metadata(apart, run)
    assert made["rungs"] == made["rungs_from_checkpoints"] > 0
    assert "encode_seconds" not in made
    # Another video of its own, with the same bytes.
    media = [media_of(apart, video) for video in ("twin-1", "twin-2")]
    assert media[0] == media[1] != {}


def rendition_metadata(stack: Apart, run: dg.DagsterRun) -> dict[str, Any]:
    with stack.instance() as instance:
        records = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    (made,) = [
        record.asset_materialization
        for record in records
        if record.asset_materialization and record.asset_materialization.asset_key.path == ["renditions", "h264"]
    ]
    return {name: found.value for name, found in made.metadata.items()}


def media_of(stack: Apart, video: str) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in (stack.settings.store / "videos" / video / "media").iterdir()}


def test_the_same_video_while_it_runs_is_answered_by_the_job_that_runs(
    apart: Apart, make_clip: Callable[..., Path]
) -> None:
    clip = make_clip("asked.mp4", seconds=8, size="640x360")
    first = jobs.add(apart, clip, "asked-twice", preset="web")
    apart.encoding()
    second = jobs.add(apart, clip, "asked-twice", preset="web")
    # It is taken, since a slot is free, and waits without a run of its own.
    wait_for(lambda: jobs.state(apart, second) == "active")
    assert [jobs.ended(apart, job_id) for job_id in (first, second)] == ["completed", "completed"]
    assert len(jobs.runs(apart, first)) == 1
    assert jobs.runs(apart, second) == []
    assert value(apart, first)["releaseId"] == value(apart, second)["releaseId"]
    assert len(os.listdir(apart.settings.store / "videos" / "asked-twice" / "releases")) == 1


def test_another_source_for_a_video_that_runs_follows_it(apart: Apart, make_clip: Callable[..., Path]) -> None:
    old, new = make_clip("old.mp4", seconds=10, size="640x360"), make_clip("new.mp4", seconds=2, size="320x240")
    first = jobs.add(apart, old, "replaced", preset="web")
    apart.encoding()
    second = jobs.add(apart, new, "replaced", preset="web")
    wait_for(lambda: jobs.state(apart, second) == "active")
    assert jobs.state(apart, first) == "active"
    assert jobs.runs(apart, second) == []
    assert [jobs.ended(apart, job_id) for job_id in (first, second)] == ["completed", "completed"]
    with apart.instance() as instance:
        records = [instance.get_run_record_by_id(jobs.runs(apart, job_id)[0].run_id) for job_id in (first, second)]
    assert records[0] is not None
    assert records[1] is not None
    assert (records[0].end_time or 0) <= (records[1].start_time or 0)
    # Each producer got its own release; the later one is what players see.
    releases = [value(apart, job_id)["releaseId"] for job_id in (first, second)]
    assert len(set(releases)) == 2
    current = json.loads((apart.settings.store / "videos" / "replaced" / "current.json").read_text())
    assert current["releaseId"] == releases[1]
