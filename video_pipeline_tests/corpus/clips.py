"""The clips and what their manifest says of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

KINDS = ("natural", "awkward", "hostile")
LONG = ("av1_4k60_363s", "long_1080p30_363s", "changi_4k")
"""They come last: a run that is stopped early has all others."""


@dataclass(frozen=True)
class Clip:
    path: Path
    name: str
    """Below the directory of clips, as in "natural/dog.mp4"."""
    special: str
    """What is special about it, by the manifest."""

    @property
    def full_size(self) -> bool:
        """Combing is only seen at the source's own height."""
        return "interlaced" in f"{self.name} {self.special}".lower()


def clips(media: Path, wanted: str = "") -> list[Clip]:
    """Those whose name contains one of the words in `wanted`, or all."""
    with (media / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        notes = {row["path"]: row["note"] or "" for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    words = wanted.split()
    found = [
        Clip(path, name, notes.get(name, "").split("; ffprobe says:")[0])
        for kind in KINDS
        for path in sorted((media / kind).iterdir())
        if path.is_file() and (name := f"{kind}/{path.name}")
        if not words or any(word in name for word in words)
    ]
    return sorted(found, key=lambda clip: any(word in clip.name for word in LONG))
