"""The parts of an MP4 file that manifests point to: its top-level boxes and its segment index.

Formats: ISO/IEC 14496-12, 4.2 (boxes) and 8.16.3 (sidx). A reader of files that may be broken: what makes no sense is
left out, and the caller sees that it is missing.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True)
class Box:
    kind: str
    """Four letters: ftyp, moov, sidx, moof, mdat ..."""
    offset: int
    """First byte in the file."""
    size: int
    """Bytes, with the header."""

    @property
    def end(self) -> int:
        """The byte behind the last."""
        return self.offset + self.size


@dataclass(frozen=True)
class Subsegment:
    """One segment, as the index has it."""

    offset: int
    size: int
    start: Fraction
    """Seconds from the first one."""
    duration: Fraction
    """Seconds."""

    @property
    def end(self) -> int:
        """The byte behind the last."""
        return self.offset + self.size


def top_level(path: Path) -> tuple[Box, ...]:
    """The boxes of a file, as far as they lie whole inside it."""
    found: list[Box] = []
    length = path.stat().st_size
    with path.open("rb") as file:
        offset = 0
        while len(header := file.read(16)) >= 8:
            size = int.from_bytes(header[:4], "big")
            if size == 1:
                size = int.from_bytes(header[8:16], "big")
            elif size == 0:
                size = length - offset
            if size < 8 or offset + size > length:
                break
            found.append(Box(header[4:8].decode("latin-1"), offset, size))
            offset += size
            file.seek(offset)
    return tuple(found)


def segment_index(path: Path, boxes: Sequence[Box]) -> tuple[Subsegment, ...]:
    """The entries of the first sidx; none if there is none or it is broken."""
    box = next((box for box in boxes if box.kind == "sidx"), None)
    if box is None:
        return ()
    with path.open("rb") as file:
        file.seek(box.offset + 8)
        body = file.read(box.size - 8)
    try:
        return tuple(_entries(body, box.end))
    except (struct.error, ZeroDivisionError):
        return ()


def _entries(body: bytes, anchor: int) -> list[Subsegment]:
    version = body[0] if body else 0
    head = ">4xIIII2xH" if version == 0 else ">4xIIQQ2xH"
    _, timescale, _, first, count = struct.unpack_from(head, body)
    offset, start = anchor + first, Fraction(0)
    entries = []
    for n in range(count):
        size, ticks = struct.unpack_from(">II4x", body, struct.calcsize(head) + 12 * n)
        # The topmost bit says that the entry is itself an index, which the packager never writes.
        size, duration = size & 0x7FFF_FFFF, Fraction(ticks, timescale)
        entries.append(Subsegment(offset, size, start, duration))
        offset, start = offset + size, start + duration
    return entries
