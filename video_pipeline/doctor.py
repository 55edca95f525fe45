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
from video_pipeline.media import families, hardware, tools
from video_pipeline.media.backend import SOUND
from video_pipeline.media.trial import unusable
from video_pipeline.media.video_plan import VideoEncoder
from video_pipeline.presets.families import SOFTWARE
from video_pipeline.presets.model import Preset
from video_pipeline.services.redis import find_server
from video_pipeline.stores import content_keys

Found = dict[str, str | None]
"""Encoder to why it cannot be used; None if it can."""


@click.command()
def doctor() -> None:
    """Print every program with path and version, and whatever is missing; exit 1 if something is."""
    ours = settings.load()
    found = _found(ours)
    problems = [
        _program("ffmpeg", lambda: tools.find(ffmpeg=ours.ffmpeg).ffmpeg),
        _program("ffprobe", lambda: tools.find(ffprobe=ours.ffprobe).ffprobe),
        _program("packager", lambda: tools.find(packager=ours.packager).packager),
        _program("redis server", lambda: find_server(ours)),
        _say("encoders", lambda: _software(found or _encoders(ours))),
        *(_hardware(name, found[name]) for name in hardware.ALL if found),
        _say("home", lambda: f"{prepare(ours).home}, {shutil.disk_usage(ours.home).free / 1e9:.1f} GB free"),
        *(_preset(ours, name, found) for name in presets.names(ours.presets_dir)),
        _keys(ours),
    ]
    sys.exit(1 if any(problems) else 0)


def _program(name: str, find: Callable[[], Path]) -> bool:
    return _say(name, lambda: f"{tools.version(find())}  {find()}")


def _found(ours: settings.Settings) -> Found:
    """Nothing without an ffmpeg: that is said once, and not of every preset."""
    try:
        return _encoders(ours)
    except PipelineError:
        return {}


def _encoders(ours: settings.Settings) -> Found:
    """Every encoder that a preset can ask for. Those of hardware are tried; of the others it is enough to be there."""
    found = _ffmpeg(ours)
    built = tools.encoders(found)

    def why_not(name: str) -> str | None:
        if name not in built:
            return "this ffmpeg is built without it"
        return unusable(found, _simplest(name)) if name in hardware.ALL else None

    return {name: why_not(name) for name in (*SOFTWARE.values(), SOUND, *hardware.ALL)}


def _ffmpeg(ours: settings.Settings) -> tools.Tools:
    return tools.find(ffmpeg=ours.ffmpeg, nice=ours.nice, vaapi=ours.vaapi_device)


def _simplest(codec: str) -> VideoEncoder:
    family, profile = ("h264", "high") if codec.startswith("h264") else ("hevc", "main")
    speed = hardware.speed(codec, "medium")
    return VideoEncoder.model_validate(
        {"family": family, "codec": codec, "preset": speed, "profile": profile, "threads": 1}
    )


def _software(found: Found) -> str:
    names = [name for name in found if name not in hardware.ALL]
    lacking = [name for name in names if found[name]]
    if lacking:
        raise PipelineError(f"this ffmpeg lacks {', '.join(lacking)}")
    return ", ".join(names)


def _hardware(name: str, why: str | None) -> bool:
    """No host needs it, unless a preset does, which is said there."""
    print(f"{name:19} {'ok' if why is None else 'unusable':9}{why or f'with {hardware.NEEDS[name]}'}")
    return False


def _preset(ours: settings.Settings, name: str, found: Found) -> bool:
    """Every preset is read, so that a broken file shows here and not with the first video."""
    return _say(f"preset {name}", lambda: _can_be_made(ours, presets.load(name, ours.presets_dir), found))


def _can_be_made(ours: settings.Settings, preset: Preset, found: Found) -> str:
    said = [preset.description]
    for name, family in preset.families.items():
        used, why = family.encoder, found.get(family.encoder)
        if why and used in hardware.ALL and preset.hardware == "prefer" and found[SOFTWARE[name]] is None:
            used = SOFTWARE[name]
            said.append(f"{family.encoder} cannot be used ({why}): {used} takes its place.")
        elif why:
            raise PipelineError(f"needs {used} for {name}: {why}")
        if found and family.tuned:
            encoder = families.plain(preset, name, in_software=used != family.encoder)
            if why := unusable(_ffmpeg(ours), encoder):
                raise PipelineError(f"{name}: {used} refuses its settings: {why}")
    return " ".join(said)


def _keys(ours: settings.Settings) -> bool:
    """Nothing is said of keys that nobody needs and nobody has."""
    if not (ours.key_file or ours.key_server or any(_protects(ours, name) for name in presets.names(ours.presets_dir))):
        return False
    return _say("keys", lambda: content_keys.configured(ours.key_file, ours.key_server))


def _protects(ours: settings.Settings, name: str) -> bool:
    try:
        return presets.load(name, ours.presets_dir).protection is not None
    except PipelineError:
        return False


def _say(name: str, what: Callable[[], str]) -> bool:
    """Prints one line; True if something is wrong."""
    try:
        print(f"{name:19} ok       {what()}")
    except PipelineError as error:
        print(f"{name:19} WRONG    {error}")
        return True
    return False
