"""Puts a clip through the pipeline and takes down what that cost and what it left behind."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from video_pipeline.settings import PROJECT
from video_pipeline_tests import processes
from video_pipeline_tests.corpus.clips import Clip

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
    environment = processes.environment(
        home, TMPDIR=str(temporary), VIDEO_PIPELINE_PRESETS_DIR=str(own), PYTHONPATH=str(PROJECT)
    )
    argv = [sys.executable, "-W", "ignore", "-m", f"{__package__}.child", str(clip.path), wanted]
    outcome = Outcome()
    with (place / "out").open("w+") as out, (place / "log").open("w+") as log:
        began = time.monotonic()
        child = subprocess.Popen(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True
        )
        while child.poll() is None and time.monotonic() - began < limit:
            outcome.megabytes = max(outcome.megabytes, _resident(child.pid))
            time.sleep(EVERY)
        outcome.seconds = time.monotonic() - began
        late = child.poll() is None
        left = [one for one in processes.processes(home) if not (late and one.pid == child.pid)]
        outcome.left = [f"process {' '.join(_argv(one)[:3])}" for one in left] if not late else []
        for one in processes.processes(home):
            one.kill()
        status = child.wait()
        out.seek(0)
        log.seek(0)
        printed, logged = out.read().strip(), log.read().strip()
    files = processes.files_below(temporary, home / "scratch")
    outcome.left += [f"file {path.relative_to(place)}" for path in files]
    try:
        told = json.loads(printed.splitlines()[-1])
    except (IndexError, ValueError):
        outcome.error = "timeout" if late else "crash"
        outcome.words = f"ended with status {status}: {(logged.splitlines() or ['no message'])[-1]}"
        return outcome
    outcome.release = Path(told["release"]) if "release" in told else None
    outcome.words, outcome.error = told.get("words", ""), told.get("class", "")
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
