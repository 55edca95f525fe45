"""Kills an encoder or the worker while a video is encoded, and sees what becomes of the video.

How often a chunk was encoded is counted by the calls of ffmpeg, which the stack writes down, not by what runs tell.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil

from video_pipeline_tests.e2e import jobs
from video_pipeline_tests.e2e.apart import Apart
from video_pipeline_tests.processes import wait_for

PRESET = "web"
PATIENCE = 600.0
CHUNK = re.compile(r"/(\d+)/h264-\d+p\.mp4")
"""What the encoder of a chunk writes: the chunk's number."""
OWN = {"metadata.json", "quality.json", "release.json"}
"""What tells of the video and the run, not of what was made."""


@dataclass(frozen=True)
class Alone:
    """What an undisturbed encode does."""

    seconds: float
    chunks: int
    at_once: int
    files: dict[str, str]
    """Digests by path, of everything that is published and does not tell of the video or the run."""


@dataclass(frozen=True)
class Killed:
    """Times are seconds from the kill."""

    kind: str
    moment: float
    """How far the encode was, as a share of one that is left alone."""
    running: int
    """Encoders at that moment."""
    child: float
    """Until the encoder was dead."""
    recovered: float
    """Until another began, or, of a worker, until the next run's first step."""
    published: float
    """Until the job was completed."""
    redone: int
    """Chunks that were encoded more than once."""
    once: bool
    """One completed job at its first attempt, one release; a killed worker's run is lost and another one good."""
    same: bool
    """As if left alone, byte for byte."""

    def good(self, alone: Alone) -> bool:
        return self.once and self.same and self.redone <= alone.at_once


KINDS = {"encoder": ["SUCCESS"], "worker": ["FAILURE", "SUCCESS"]}
"""What may be killed, and how the runs of the video end."""


def left_alone(stack: Apart, clip: Path) -> Alone:
    calls = Calls(stack)
    job_id = jobs.add(stack, clip, "alone", preset=PRESET)
    wait_for(lambda: encoding(stack) or None, PATIENCE)
    began = last = time.monotonic()
    at_once = 1
    while jobs.state(stack, job_id) not in ("completed", "failed"):
        running = len(encoding(stack))
        at_once, last = max(at_once, running), time.monotonic() if running else last
        time.sleep(0.1)
    assert jobs.ended(stack, job_id, PATIENCE) == "completed"
    return Alone(last - began, len(calls.chunks()), at_once, published(stack, "alone"))


def kill_once(stack: Apart, clip: Path, video: str, kind: str, chance: random.Random, alone: Alone) -> Killed | None:
    """None if nothing was encoded any more at the moment that was drawn."""
    calls = Calls(stack)
    job_id = jobs.add(stack, clip, video, preset=PRESET)
    wait_for(lambda: encoding(stack) or None, PATIENCE)
    began = time.monotonic()
    time.sleep(chance.random() * alone.seconds)

    def ended() -> bool:
        return jobs.state(stack, job_id) in ("completed", "failed")

    # Between two chunks there may be no encoder for a moment.
    running = encoding(stack)
    while not running and not ended():
        time.sleep(0.05)
        running = encoding(stack)
    if not running:
        return None
    moment, killed, before = (time.monotonic() - began) / alone.seconds, time.time(), calls.count()
    victims = running
    if kind == "worker":
        stack.kill_worker()
        stack.start_worker()
    else:
        victims = [chance.choice(running)]
        victims[0].kill()
    psutil.wait_procs(victims, timeout=10)
    child = time.time() - killed
    if kind == "worker":
        recovered = wait_for(lambda: first_step(stack, job_id), PATIENCE) - killed
    else:
        wait_for(lambda: calls.count() > before or ended(), PATIENCE)
        recovered = time.time() - killed
    assert jobs.ended(stack, job_id, PATIENCE) == "completed"
    done = int(jobs.fields(stack, job_id)["finishedOn"]) / 1000 - killed
    wait_for(lambda: all(run.is_finished for run in jobs.runs(stack, job_id)))
    redone = sum(times > 1 for times in calls.chunks().values())
    once = published_once(stack, job_id, video, KINDS[kind])
    same = published(stack, video) == alone.files
    return Killed(kind, moment, len(running), child, recovered, done, redone, once, same)


class Calls:
    """Of ffmpeg, since this was made."""

    def __init__(self, stack: Apart) -> None:
        self._path = stack.home / "bin" / "calls"
        self._start = self._path.stat().st_size

    def chunks(self) -> Counter[str]:
        """How often each chunk's encoder was started, by its number."""
        with self._path.open() as log:
            log.seek(self._start)
            return Counter(found[1] for line in log if (found := CHUNK.search(line)))

    def count(self) -> int:
        return self.chunks().total()


def encoding(stack: Apart) -> list[psutil.Process]:
    """The encoders of chunks that run."""
    found = []
    for process in stack.encoders():
        try:
            if CHUNK.search(" ".join(process.cmdline())):
                found.append(process)
        except psutil.Error:
            continue
    return found


def first_step(stack: Apart, job_id: str) -> float | None:
    """When the second run began its first step."""
    runs = jobs.runs(stack, job_id)
    if len(runs) < 2:
        return None
    with stack.instance() as instance:
        began = [stats.start_time for stats in instance.get_run_step_stats(runs[1].run_id) if stats.start_time]
    return min(began, default=None)


def published(stack: Apart, video: str) -> dict[str, str]:
    place = stack.settings.store / "videos" / video
    release = json.loads(next(place.glob("releases/*/release.json")).read_text())
    return {file["path"]: file["sha256"] for file in release["files"] if Path(file["path"]).name not in OWN}


def published_once(stack: Apart, job_id: str, video: str, runs: list[str]) -> bool:
    place = stack.settings.store / "videos" / video
    completed = [event["jobId"] for _, event in jobs.events(stack, "completed")].count(job_id)
    return (
        [run.status.value for run in jobs.runs(stack, job_id)] == runs
        and (completed, jobs.fields(stack, job_id)["atm"]) == (1, "1")
        and len(os.listdir(place / "releases")) == 1
        and json.loads((place / "current.json").read_text())["sequence"] == 1
    )
