"""Whether a source is protected, by what its container says: a decoder would make noise of it, or nothing.

Where it is written: ISO/IEC 23001-7 (encv in MP4) and Apple's drmi; Matroska's ContentEncKeyID, which ffprobe shows as
a tag; ASF 3.14 (content encryption object); ISO/IEC 13818-1, 2.4.3.2 and 2.4.3.6 (scrambling control of TS and PES).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from video_pipeline.media import boxes, streams

PROTECTED = (b"encv", b"drmi")
"""Kinds of an MP4 track's sample entry."""
ASF_OBJECTS = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),  # Content Encryption Object
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),  # Extended Content Encryption Object
)
HEAD = 65_536
INDEX = 2**26
"""Bytes of an index that are read."""
PLACES, BLOCK = 16, 188 * 1024
"""Of an MPEG stream: how many, and how many bytes of each."""
SHARE = 0.5
"""Of an MPEG stream's packets; a moment may be scrambled in a recording of clear television."""
DVD_SHARE = 0.05
"""A DVD scrambles only some of its sectors."""


def reason(path: Path, container: str, listed: Sequence[dict[str, Any]]) -> str | None:
    """The words if it is encrypted, else None.

    Args:
        container: ffprobe's name of the format.
        listed: its streams, as ffprobe lists them.
    """
    videos = [stream for stream in listed if stream.get("codec_type") == "video"]
    for stream in videos:
        kept = streams.side_data(stream, "Encryption initialization data") or streams.side_data(
            stream, "Encryption info"
        )
        if kept or "enc_key_id" in {key.lower() for key in stream.get("tags", {})}:
            return _words("DRM")
    if "mp4" in container:
        return _words("DRM") if any(kind in PROTECTED for kind in sample_entries(path)) else None
    if container == "asf":
        with path.open("rb") as file:
            head = file.read(HEAD)
        return _words("Windows Media DRM") if any(found in head for found in ASF_OBJECTS) else None
    if container == "mpegts":
        return _words("scrambled television") if _share(_ts_packets(path)) > SHARE else None
    if container == "mpeg":
        return _words("CSS, as DVDs are") if _share(_ps_packets(path)) > DVD_SHARE else None
    return None


def _words(how: str) -> str:
    return f"the video is encrypted ({how}); give a file without protection"


def sample_entries(path: Path) -> list[bytes]:
    """Kinds of the first sample entry of every track."""
    moov = next((box for box in boxes.top_level(path) if box.kind == "moov"), None)
    if moov is None:
        return []
    with path.open("rb") as file:
        file.seek(moov.offset)
        index = file.read(min(moov.size, INDEX))
    found, at = [], index.find(b"stsd")
    while at >= 0:
        # 4 bytes of version, 4 of count, then the entry: size and kind.
        found.append(index[at + 16 : at + 20])
        at = index.find(b"stsd", at + 4)
    return found


def _share(scrambled: Iterator[bool]) -> float:
    found = list(scrambled)
    return sum(found) / len(found) if found else 0.0


def _blocks(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        for n in range(PLACES):
            file.seek(max(0, size - BLOCK) * n // PLACES)
            yield file.read(BLOCK)


def _ts_packets(path: Path) -> Iterator[bool]:
    """Of packets with a payload, of which there is the next one where it should be: whether it is scrambled."""
    for block in _blocks(path):
        for length in (188, 192, 204):
            first = next((at for at in range(length) if block[at : at + 4 * length : length] == b"GGGG"), None)
            if first is None:
                continue
            for at in range(first, len(block) - 4, length):
                if block[at] == 0x47 and block[at + 3] & 0x10:
                    yield bool(block[at + 3] & 0xC0)
            break


def _ps_packets(path: Path) -> Iterator[bool]:
    """Of PES packets of video: whether they are scrambled."""
    for block in _blocks(path):
        at = block.find(b"\0\0\1")
        while 0 <= at < len(block) - 7:
            if block[at + 3] & 0xF0 == 0xE0 and block[at + 6] & 0xC0 == 0x80:
                yield bool(block[at + 6] & 0x30)
            at = block.find(b"\0\0\1", at + 3)
