"""The packets of a video stream: when each is shown, without decoding, and whether that can be trusted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from video_pipeline.media import listing, timing
from video_pipeline.media.technical import FrameTiming
from video_pipeline.media.tools import Tools

HONEST = frozenset("mov,mp4,m4a,3gp,3g2,mj2 matroska,webm".split())
"""Containers in which a packet is a picture and its time is the picture's."""
WHOLE = frozenset("h264 hevc vp8 vp9 av1 prores dnxhd mjpeg png mpeg4".split())
"""Codecs whose packets are one shown picture each, in such a container."""


@dataclass(frozen=True)
class Packets:
    """Of one stream, as they come in the file."""

    times: tuple[int, ...]
    """Ticks; of those that are shown."""
    untimed: int
    """How many have no time at all."""
    last: int
    """How long the last one shown lasts, ticks; 0 if the file does not say."""
    listed: int
    """All, with those that an edit list hides."""
    cut: bool
    """The file ends before its last packet does."""
    closed_gop: int | None
    """Packets from key frame to key frame, if that is always the same and each run of them is shown by itself."""
    largest_gop: int
    """Bytes."""
    clean: bool
    """None is marked as broken, none comes twice, none lacks a time, and the first of all is a key frame."""

    @property
    def count(self) -> int:
        return len(self.times) + self.untimed


@dataclass
class Gops:
    """Groups of pictures, packet by packet in the order of the file."""

    broken: bool = False
    largest: int = 0
    """Bytes."""
    _counts: list[int] = field(default_factory=list)
    _size: int = 0
    _start: int = 0
    _latest: int = -(2**63)
    """Of everything so far, ticks."""

    def take(self, time: int, size: int, key: bool) -> None:
        if key:
            self.broken = self.broken or time <= self._latest
            self._counts.append(0)
            self._size, self._start = 0, time
        elif not self._counts or time < self._start:
            self.broken = True
            return
        self._counts[-1] += 1
        self._size += size
        self.largest = max(self.largest, self._size)
        self._latest = max(self._latest, time)

    def closed(self) -> int | None:
        """How many packets each has; the last one may have fewer."""
        if self.broken or not self._counts:
            return None
        first, *others = self._counts
        fits = all(count == first for count in others[:-1]) and (not others or others[-1] <= first)
        return first if fits else None


MOST = 24 * 3600 * 120
"""Packets that are read: a day at 120 pictures a second."""
CUT = ("partial file", "File ended prematurely")
"""Of ffprobe's readers of MP4 and Matroska."""


def command(tools: Tools, path: Path, stream: int) -> list[str | Path]:
    """The ffprobe command whose output `read` takes."""
    entries = "packet=pts,dts,duration,size,flags"
    most = ["-read_intervals", f"%+#{MOST + 1}"]
    return listing.command(
        tools, path, *most, "-select_streams", str(stream), "-show_entries", entries, "-of", "csv=p=0"
    )


def read(listed: bytes, log: str) -> Packets:
    """A packet that an edit list hides (flag D) does not count.

    Args:
        log: what ffprobe complained of meanwhile.
    """
    shown: dict[int, int] = {}
    times: list[int] = []
    untimed, count, clean, first = 0, 0, True, True
    gops = Gops()
    for line in re.finditer(rb"\S+", listed):
        row = line[0].decode("ascii", "replace")
        count += 1
        pts, dts, duration, size, flags = (*row.split(","), "", "", "", "", "")[:5]
        clean = clean and "C" not in flags and ("K" in flags or not first)
        first = False
        if "D" in flags:
            gops.broken = True
            continue
        time = listing.integer(pts)
        if time is None:
            clean = False
            time = listing.integer(dts)
        if time is None:
            untimed += 1
            continue
        clean = clean and time not in shown
        times.append(time)
        gops.take(time, listing.integer(size) or 0, "K" in flags)
        shown[time] = listing.integer(duration) or 0
    last = shown[max(shown)] if shown else 0
    cut = any(words in log for words in CUT)
    return Packets(tuple(times), untimed, max(0, last), count, cut, gops.closed(), gops.largest, clean)


def clock(packets: Packets, tick: Fraction, start: Fraction, declared: Fraction | None, rate: Fraction) -> FrameTiming:
    """When the pictures are shown, if every packet is one.

    Args:
        start, declared: the container's own start and duration, s.
        rate: frames per second as declared, for a stream without times.
    """
    if not packets.times:
        return timing.of_count(packets.untimed, rate, decoded=False)
    shown = sorted(set(packets.times))
    usual = timing.last_step(shown, tick, declared and declared + start, 1 / rate)
    # A length of nothing, or of one tick, is no length.
    last = packets.last * tick
    return timing.of_times(shown, tick, start, last if last >= usual / 2 else usual, decoded=False)


def trusted(packets: Packets, container: str, codec: str, progressive: bool) -> bool:
    """Whether `clock` is sure to be that of the pictures; else they must be decoded to know."""
    return packets.clean and progressive and container in HONEST and codec in WHOLE
