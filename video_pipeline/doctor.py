"""`video-pipeline doctor`: which programs are in use, and what is missing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import click

from video_pipeline import presets, settings
from video_pipeline.errors import PipelineError
from video_pipeline.home import prepare
from video_pipeline.media import tools
from video_pipeline.services.redis import find_server

NEEDED_ENCODERS = ("libx264", "aac")


@click.command()
def doctor() -> None:
    """Print every program with path and version, and whatever is missing; exit 1 if something is."""
    ours = settings.load()
    problems = [
        _program("ffmpeg", lambda: tools.find(ffmpeg=ours.ffmpeg).ffmpeg),
        _program("ffprobe", lambda: tools.find(ffprobe=ours.ffprobe).ffprobe),
        _program("packager", lambda: tools.find(packager=ours.packager).packager),
        _program("redis server", lambda: find_server(ours)),
        _encoders(ours),
        _say("home", lambda: f"{prepare(ours).home}, {shutil.disk_usage(ours.home).free / 1e9:.1f} GB free"),
        *(_preset(ours, name) for name in presets.names(ours.presets_dir)),
    ]
    sys.exit(1 if any(problems) else 0)


def _program(name: str, find: Callable[[], Path]) -> bool:
    return _say(name, lambda: f"{tools.version(find())}  {find()}")


def _encoders(ours: settings.Settings) -> bool:
    def check() -> str:
        lacking = set(NEEDED_ENCODERS) - tools.encoders(tools.find(ffmpeg=ours.ffmpeg))
        if lacking:
            raise PipelineError(f"this ffmpeg lacks {', '.join(sorted(lacking))}")
        return ", ".join(NEEDED_ENCODERS)

    return _say("encoders", check)


def _preset(ours: settings.Settings, name: str) -> bool:
    """Every preset is read, so that a broken file shows here and not with the first video."""
    return _say(f"preset {name}", lambda: presets.load(name, ours.presets_dir).description)


def _say(name: str, what: Callable[[], str]) -> bool:
    """Prints one line; True if something is wrong."""
    try:
        print(f"{name:15}ok       {what()}")
    except PipelineError as error:
        print(f"{name:15}WRONG    {error}")
        return True
    return False
