"""One clip from the request to the published release, in a process of its own: writes what became of it as JSON."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from video_pipeline import presets, settings
from video_pipeline.cli_process import run
from video_pipeline.errors import PipelineError
from video_pipeline.home import prepare
from video_pipeline.stores.sources import local_path


def main(source: str, preset: str, environment: Mapping[str, str], told: Path, log: Path) -> None:
    """Runs in a fork that has everything imported; `log` takes what it prints."""
    os.setsid()
    with log.open("w") as printed, open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    told.write_text(json.dumps(_processed(source, preset)))


def _processed(source: str, preset: str) -> dict[str, str]:
    try:
        ours = prepare(settings.load())
        presets.load(preset, ours.presets_dir)
        release = run(ours, "clip", source=str(local_path(source).absolute()), preset=preset)
    except PipelineError as error:
        return {"words": str(error), "class": type(error).__name__}
    return {"release": str(ours.store / "videos" / "clip" / "releases" / release)}
