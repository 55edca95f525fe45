"""What the packaged files really hold: packets from ffprobe, and one full decode of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from video_pipeline.media import process
from video_pipeline.media.tools import Tools

STALL_SECONDS = 120


@dataclass(frozen=True)
class Packet:
    time: Fraction
    """Presentation time, s."""
    duration: Fraction
    size: int
    position: int
    """Byte offset in the file."""
    key: bool


@dataclass(frozen=True)
class Reading:
    """One packaged file."""

    name: str
    path: Path
    packets: tuple[Packet, ...]
    """In order of presentation; those an edit list hides are left out."""
    decoded_frames: int
    """Of a video; 0 for sound."""
    fragments: tuple[tuple[int, int], ...]
    """Offset and length in bytes of each moof with its mdat."""
    errors: str
    """What the decoder or ffprobe complained about; empty for a sound file."""

    @property
    def is_video(self) -> bool:
        return self.name != "audio"

    @property
    def start(self) -> Fraction:
        return self.packets[0].time if self.packets else Fraction(0)

    @property
    def end(self) -> Fraction:
        return self.packets[-1].time + self.packets[-1].duration if self.packets else Fraction(0)


def read(tools: Tools, media: Mapping[str, Path]) -> list[Reading]:
    """Reads and decodes every file, several at once."""
    entries = "packet=pts_time,duration_time,size,pos,flags"
    listing = [
        [tools.ffprobe, "-v", "error", "-show_entries", entries, "-of", "csv=p=0", path] for path in media.values()
    ]
    # -xerror would stop at the first error; the report names what was found.
    decoding = [
        [tools.ffmpeg, "-v", "error", "-nostdin", "-progress", "pipe:1", "-i", path, "-f", "null", "-"]
        for path in media.values()
    ]
    done = process.run_all([*listing, *decoding], nice=tools.nice, stall_seconds=STALL_SECONDS, check=False)
    readings = []
    for n, (name, path) in enumerate(media.items()):
        packets, decode = done[n], done[len(media) + n]
        errors = [line for line in (packets.stderr + decode.stderr).splitlines() if line.strip()]
        if packets.status or decode.status:
            errors.append(f"ffprobe ended with status {packets.status}, ffmpeg with {decode.status}")
        frames = re.findall(rb"^frame=\s*(\d+)", decode.stdout, re.MULTILINE)
        readings.append(
            Reading(
                name=name,
                path=path,
                packets=_packets(packets.stdout.decode()),
                decoded_frames=int(frames[-1]) if frames else 0,
                fragments=_fragments(path),
                errors="; ".join(errors[:3]),
            )
        )
    return readings


def _packets(text: str) -> tuple[Packet, ...]:
    packets = []
    for line in text.split():
        time, duration, size, position, flags = line.split(",")[:5]
        if "D" not in flags:
            packets.append(
                Packet(
                    time=_time(time), duration=_time(duration), size=int(size), position=int(position), key="K" in flags
                )
            )
    return tuple(sorted(packets, key=lambda packet: packet.time))


def _fragments(path: Path) -> tuple[tuple[int, int], ...]:
    """Walks the top-level boxes (ISO/IEC 14496-12, 4.2)."""
    found: list[tuple[int, int]] = []
    with path.open("rb") as file:
        offset = 0
        while len(header := file.read(16)) >= 8:
            size, kind = int.from_bytes(header[:4], "big"), header[4:8]
            if size == 1:
                size = int.from_bytes(header[8:16], "big")
            if size < 8:
                break
            if kind == b"moof":
                found.append((offset, size))
            elif kind == b"mdat" and found:
                found[-1] = (found[-1][0], found[-1][1] + size)
            offset += size
            file.seek(offset)
    return tuple(found)


def _time(text: str) -> Fraction:
    return Fraction(0) if text == "N/A" else Fraction(text)
