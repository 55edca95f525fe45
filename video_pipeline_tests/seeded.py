"""Faults in what was made that no checksum tells."""

from __future__ import annotations

import hashlib
from pathlib import Path


def replace_blob(store: Path, digest: str, data: bytes) -> None:
    """Other content of the same size in place of a blob, as if the encoder had made it so: under its own name, which
    every checkpoint has in place of the old one."""
    new = hashlib.sha256(data).hexdigest()
    [old] = (store / "blobs").rglob(digest)
    assert len(data) == old.stat().st_size
    path = store / "blobs" / "sha256" / new[:2] / new
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    for checkpoint in (store / "checkpoints").glob("*/*.json"):
        text = checkpoint.read_text()
        if digest in text:
            checkpoint.write_text(text.replace(digest, new))
