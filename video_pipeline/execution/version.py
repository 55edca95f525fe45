"""The version of the code a process has loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import video_pipeline


def _digest() -> str:
    root = Path(video_pipeline.__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*root.rglob("*.py"), *root.rglob("*.yaml")]):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


CODE_VERSION = _digest()
"""Taken when the process starts: files changed later are not the code it runs."""
