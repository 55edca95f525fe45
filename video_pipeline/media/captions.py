"""Closed captions that the first picture does not have yet, found by their mark in the file."""

from __future__ import annotations

import mmap
from pathlib import Path

MARK = b"GA94\x03"
"""What stands before caption data in H.264, HEVC and MPEG-2 (ATSC A/53 Part 4, 6.2.3.1); no coding changes it."""
MOST_BYTES = 256 * 2**20
"""Of the file's beginning: every picture of a captioned programme has the mark, also those without a word."""


def marked(path: Path) -> bool:
    """Whether the file's beginning holds caption data."""
    with path.open("rb") as file:
        length = min(path.stat().st_size, MOST_BYTES)
        if not length:
            return False
        with mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ) as content:
            return content.find(MARK) >= 0
