"""What the packaged files really hold: packets from ffprobe, one full decode, and the boxes of each."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from video_pipeline.media import parallel, process
from video_pipeline.media.boxes import Box, Subsegment, segment_index, top_level
from video_pipeline.media.tools import Tools

STALL_SECONDS = 120
_PACKET = np.dtype([("time", "i8"), ("duration", "i8"), ("size", "i8"), ("position", "i8"), ("flags", "U3")])


@dataclass(frozen=True)
class Reading:
    """One packaged file, or what could be read of it."""

    name: str
    is_video: bool
    path: Path
    size: int
    """Bytes; 0 if there is no file."""
    time_base: Fraction
    """Seconds per tick."""
    packets: NDArray[np.void]
    """In order of presentation: `time` and `duration` in ticks, `size` and `position` in bytes, `flags`. Those an edit
    list hides are left out."""
    decoded_frames: int
    """Of a video; 0 for sound."""
    boxes: tuple[Box, ...]
    index: tuple[Subsegment, ...]
    errors: str
    """What the decoder or ffprobe complained about; empty for a sound file."""

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Presentation times, s."""
        seconds: NDArray[np.float64] = self.packets["time"] * float(self.time_base)
        return seconds

    @cached_property
    def keys(self) -> NDArray[np.intp]:
        """Indices of the key frames."""
        return np.flatnonzero(np.char.startswith(self.packets["flags"], "K"))

    @property
    def start(self) -> Fraction:
        """Of the presentation, s."""
        return int(self.packets["time"][0]) * self.time_base if len(self.packets) else Fraction(0)

    @property
    def end(self) -> Fraction:
        """Of the presentation, s."""
        if not len(self.packets):
            return Fraction(0)
        return int((self.packets["time"] + self.packets["duration"]).max()) * self.time_base

    def bytes_of(self, kind: str) -> tuple[int, int] | None:
        """First byte and the one behind the last of the first box of this kind."""
        return next(((box.offset, box.end) for box in self.boxes if box.kind == kind), None)


def read(
    tools: Tools, media: Mapping[str, Path], sounds: Collection[str], streams: Mapping[str, str] | None = None
) -> list[Reading]:
    """Reads and decodes every file, several at once.

    Args:
        media: track name to its file.
        sounds: names of those that are planned as sound, for files that cannot be read.
        streams: name to the stream that is meant, as in "v:0", where a file has more than one.
    """
    meant = streams or dict.fromkeys(media, "0")
    entries = "packet=pts,duration,size,pos,flags:stream=codec_type,time_base"

    def listed_by(name: str, *options: str) -> list[str | Path]:
        select = ["-select_streams", meant[name], "-show_entries", entries, "-of", "csv"]
        return [tools.ffprobe, "-v", "error", *options, *select, media[name]]

    listing = [listed_by(name) for name in media]
    # -xerror would stop at the first error; the report names what was found. The loop filter reads no bits, so it finds
    # no errors, and takes a fifth of the time.
    # On few cores there are enough files for all of them, and threads have their price.
    threads = "1" if parallel.host_cores() <= 2 else "auto"
    watched = ["-v", "error", "-nostdin", "-progress", "pipe:1", "-threads", threads, "-skip_loop_filter", "all"]
    decoding: list[list[str | Path]] = [
        [tools.ffmpeg, *watched, "-i", path, "-map", f"0:{meant[name]}", "-fps_mode", "passthrough", "-f", "null", "-"]
        for name, path in media.items()
    ]
    done = process.run_all([*listing, *decoding], nice=tools.nice, stall_seconds=STALL_SECONDS, check=False)
    # Of VP9 it loses how long the pictures last that it looked into first. What it then takes from the file alone has
    # that, but not whether a picture is a key frame.
    vague = [name for n, name in enumerate(media) if _NO_DURATION.search(done[n].stdout)]
    again = process.run_all([listed_by(name, "-fflags", "noparse") for name in vague], nice=tools.nice, check=False)
    plainly = {name: found.stdout for name, found in zip(vague, again, strict=True)}
    readings = []
    for n, (name, path) in enumerate(media.items()):
        listed, decoded = done[n], done[len(media) + n]
        errors = [line for line in (listed.stderr + decoded.stderr).splitlines() if line.strip()]
        if listed.status or decoded.status:
            errors.append(f"ffprobe ended with status {listed.status}, ffmpeg with {decoded.status}")
        frames = re.findall(rb"^frame=\s*(\d+)", decoded.stdout, re.MULTILINE)
        stream = re.search(rb"^stream,(\w+),(\d+/\d+)", listed.stdout, re.MULTILINE)
        boxes = top_level(path) if path.is_file() else ()
        readings.append(
            Reading(
                name=name,
                is_video=stream[1] == b"video" if stream else name not in sounds,
                path=path,
                size=path.stat().st_size if path.is_file() else 0,
                time_base=Fraction(stream[2].decode()) if stream else Fraction(1),
                packets=_shown(_packets(listed.stdout), _packets(plainly.get(name, b""))),
                decoded_frames=int(frames[-1]) if frames else 0,
                boxes=boxes,
                index=segment_index(path, boxes),
                errors="; ".join(errors[:3]),
            )
        )
    return readings


_NO_DURATION = re.compile(rb"^packet,-?\d+,N/A,", re.MULTILINE)


def _packets(listed: bytes) -> NDArray[np.void]:
    # A packet without a time or with side data has other columns; the first is a fault, seen as a missing frame.
    listed = _NO_DURATION.sub(lambda found: found[0].replace(b"N/A", b"0"), listed)
    lines = [line for line in listed.splitlines() if line.startswith(b"packet,") and b"N/A" not in line]
    if not lines:
        return np.empty(0, _PACKET)
    columns = range(1, 6)
    return np.loadtxt(io.StringIO(b"\n".join(lines).decode()), _PACKET, delimiter=",", usecols=columns, ndmin=1)


def _shown(packets: NDArray[np.void], plainly: NDArray[np.void]) -> NDArray[np.void]:
    """In order of presentation, with the durations of another reading of the same packets, if there is one."""
    if len(plainly) == len(packets):
        packets["duration"] = plainly["duration"]
    shown = packets[np.char.find(packets["flags"], "D") < 0]
    return shown[np.argsort(shown["time"], kind="stable")]
