"""Looks at files with ffprobe, independently of the package's own probe."""

from __future__ import annotations

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

from video_pipeline.media.tools import Tools


def show(tools: Tools, path: Path | str, *args: str) -> dict[str, Any]:
    argv = [str(tools.ffprobe), "-v", "error", "-of", "json", *args, str(path)]
    done = subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
    table: dict[str, Any] = json.loads(done.stdout)
    return table


def streams(tools: Tools, path: Path | str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = show(tools, path, "-show_streams")["streams"]
    return found


def frames(tools: Tools, path: Path | str) -> list[dict[str, Any]]:
    """Decoded video frames in the order they are shown."""
    entries = "frame=pts_time,pict_type,key_frame"
    found: list[dict[str, Any]] = show(tools, path, "-select_streams", "v:0", "-show_frames", "-show_entries", entries)[
        "frames"
    ]
    return found


def times(tools: Tools, path: Path | str) -> list[Fraction]:
    return [Fraction(frame["pts_time"]) for frame in frames(tools, path)]


def pixels(tools: Tools, path: Path | str, *, frame: int, size: str = "16x16") -> bytes:
    """Gray pixels of one frame, scaled to `size`."""
    graph = f"select=eq(n\\,{frame}),scale={size.replace('x', ':')},format=gray"
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-vf", graph]
    argv += ["-frames:v", "1", "-f", "rawvideo", "-"]
    return subprocess.run(argv, check=True, capture_output=True, timeout=120).stdout


def pictures(tools: Tools, *args: str | Path) -> list[tuple[Fraction, str]]:
    """Time in seconds and MD5 of every decoded picture of the one video stream that ffmpeg's `args` name."""
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", *map(str, args), "-f", "framemd5", "-"]
    listed = subprocess.run(argv, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL).stdout
    base = next(line.split()[2] for line in listed.splitlines() if line.startswith("#tb 0:"))
    rows = [line.split(",") for line in listed.splitlines() if line and not line.startswith("#")]
    return [(int(row[2]) * Fraction(base), row[5].strip()) for row in rows]
