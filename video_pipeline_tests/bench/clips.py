"""Clips for measuring."""

from __future__ import annotations

import subprocess
from pathlib import Path

from video_pipeline.media import tools


def make_clip(path: Path, *, seconds: float, size: str) -> Path:
    """Moving pictures and a tone; another length is another video."""
    argv = [str(tools.find().ffmpeg), "-v", "error", "-nostdin"]
    argv += ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration={seconds}"]
    argv += ["-f", "lavfi", "-i", f"sine=440:duration={seconds}"]
    argv += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path
