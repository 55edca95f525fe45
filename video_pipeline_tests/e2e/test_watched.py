"""A file that is copied into the watched directory, until it can be seen."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from dagster._core.scheduler.instigation import InstigatorTick, TickStatus

from video_pipeline.intake.bull import bull
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.processes import wait_for

pytestmark = pytest.mark.e2e


def ticks(stack: RunningStack, sensor: str) -> list[InstigatorTick]:
    """The newest first; none before the first one."""
    with stack.instance() as instance:
        states = [one for one in instance.all_instigator_state() if one.instigator_name == sensor]
        return [
            tick
            for state in states
            for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=50)
        ]


def said(stack: RunningStack) -> list[str]:
    return [tick.skip_reason or "" for tick in ticks(stack, "watched_directory")]


def newest(stack: RunningStack) -> str:
    return next(iter(said(stack)), "")


def published(stack: RunningStack, video: str) -> str | None:
    path = stack.settings.store / "videos" / video / "current.json"
    return json.loads(path.read_text())["releaseId"] if path.exists() else None


def test_a_copied_file_is_published_once_and_again_when_it_changes(
    operated: RunningStack, make_clip: Callable[..., Path]
) -> None:
    watched = operated.home.parent / "watched"
    short = make_clip("short.mp4", seconds=1, size="160x90", cuts=False)
    longer = make_clip("longer.mp4", seconds=2, size="160x90", cuts=False)
    (watched / "draft").mkdir()
    growing = watched / "draft" / "My Holiday.mp4.part"
    shutil.copy(short, growing)
    (watched / "link.mp4").symlink_to(longer)
    growing.rename(growing.with_suffix(""))
    first = wait_for(lambda: published(operated, "my-holiday"), 120)
    assert any("taken in: draft/My Holiday.mp4 as video my-holiday" in text for text in said(operated))
    status = json.loads(operated.command("status", "my-holiday", "--json").stdout)
    assert (status["preset"], status["title"], status["requestVersion"]) == ("draft", "My Holiday", 1)

    shutil.copy(longer, growing.with_suffix(""))
    wait_for(lambda: published(operated, "my-holiday") != first, 120)
    looks = len(said(operated))
    wait_for(lambda: len(said(operated)) > min(looks + 1, 49), 60)
    wait_for(lambda: newest(operated) == f"nothing new among 1 files of {watched}", 60)
    queue = bull(operated.settings)
    jobs = [job for job in queue.redis.zrange(queue.key("completed"), 0, -1) if job.startswith("watched-")]
    assert len(jobs) == 2


def test_a_directory_that_is_gone_is_told_and_harms_nothing(operated: RunningStack) -> None:
    watched = operated.home.parent / "watched"
    os.rename(watched, f"{watched}-away")
    try:
        wait_for(lambda: newest(operated).startswith(f"waiting: the watched directory {watched} cannot be read: "), 60)
    finally:
        os.rename(f"{watched}-away", watched)
    wait_for(lambda: newest(operated).startswith("nothing new among "), 60)
    assert TickStatus.FAILURE not in {tick.status for tick in ticks(operated, "watched_directory")}
    assert TickStatus.FAILURE not in {tick.status for tick in ticks(operated, "intake")}


def test_without_a_directory_the_sensor_says_so(stack: RunningStack) -> None:
    wait_for(lambda: newest(stack) == "no directory is watched (VIDEO_PIPELINE_WATCH_DIR is not set)", 60)
