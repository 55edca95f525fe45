"""Puts a clip through the pipeline and takes down what that cost and what it left behind."""

from __future__ import annotations

import json
import multiprocessing
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from video_pipeline_tests import processes
from video_pipeline_tests.corpus.child import main
from video_pipeline_tests.corpus.clips import Clip

FORKS = multiprocessing.get_context("forkserver")
"""Dagster takes two seconds to import: once."""
FORKS.set_forkserver_preload(["video_pipeline.definitions", f"{__package__}.child"])
EVERY = 0.1
"""Seconds between two looks at the memory."""
SMALL = "corpus"
"""Two rungs are enough to compare them, and small ones are quick."""
PRESETS = {
    SMALL: "extends: draft\ndescription: Two small rungs.\nmax_height: 360\n",
    "corpus-full": "extends: draft\ndescription: At the source's own size.\nmax_height: 1080\n",
}


@dataclass
class Outcome:
    """What became of a clip."""

    release: Path | None = None
    words: str = ""
    """Why it was refused."""
    error: str = ""
    """The class of that error; "crash" and "timeout" are not ours."""
    seconds: float = 0.0
    megabytes: float = 0.0
    """Most resident memory of the process and its children together."""
    left: list[str] = field(default_factory=list)
    """Processes and temporary files that were still there."""


def process(clip: Clip, place: Path, *, preset: str = SMALL, limit: float = 900) -> Outcome:
    """Runs the clip in `place`, a directory of its own; `limit` is in seconds."""
    home, temporary, own = place / "home", place / "tmp", place / "presets"
    for directory in (temporary, own):
        directory.mkdir(parents=True)
    for name, text in PRESETS.items():
        (own / f"{name}.yaml").write_text(text)
    wanted = "corpus-full" if preset == SMALL and clip.full_size else preset
    environment = processes.environment(home, TMPDIR=str(temporary), VIDEO_PIPELINE_PRESETS_DIR=str(own))
    told, log = place / "told.json", place / "log"
    child = FORKS.Process(target=main, args=(str(clip.path), wanted, environment, told, log), daemon=True)
    began = time.monotonic()
    child.start()
    outcome = Outcome()
    while child.is_alive() and time.monotonic() - began < limit:
        outcome.megabytes = max(outcome.megabytes, _resident(child.pid or 0))
        child.join(EVERY)
    outcome.seconds = time.monotonic() - began
    late = child.is_alive()
    left = processes.processes(home)
    child.kill()
    child.join()
    for one in left:
        one.kill()
    if not late:
        outcome.left = [f"process {' '.join(_argv(one)[:3])}" for one in left]
        outcome.left += [
            f"file {path.relative_to(place)}" for path in processes.files_below(temporary, home / "scratch")
        ]
    if not told.is_file():
        outcome.error = "timeout" if late else "crash"
        lines = log.read_text("utf-8", "replace").strip().splitlines() if log.is_file() else []
        outcome.words = f"ended with status {child.exitcode}: {(lines or ['no message'])[-1]}"
        return outcome
    result = json.loads(told.read_text())
    outcome.release = Path(result["release"]) if "release" in result else None
    outcome.words, outcome.error = result.get("words", ""), result.get("class", "")
    return outcome


def _resident(pid: int) -> float:
    """MB of a process and all below it."""
    total = 0
    try:
        root = psutil.Process(pid)
        for one in (root, *root.children(recursive=True)):
            try:
                total += one.memory_info().rss
            except psutil.Error:
                continue
    except psutil.Error:
        return 0.0
    return total / 1e6


def _argv(one: psutil.Process) -> list[str]:
    try:
        return one.cmdline()
    except psutil.Error:
        return ["gone"]
