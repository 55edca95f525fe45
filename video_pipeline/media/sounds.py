"""What comes out of every audio stream of a source: when it begins and ends, and how much of it is broken.

Containers know neither: a header may lie, a decoder drops its priming, a broken packet gives nothing. Decoding sound
costs little beside encoding pictures.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from video_pipeline.errors import CommandFailed
from video_pipeline.media import ffmpeg
from video_pipeline.media.decoding import COMPLAINTS
from video_pipeline.media.technical import AudioStream
from video_pipeline.media.tools import Tools

FRAME = "sound {sidx} {pts} {tb} {samp}"
_STREAM = re.compile(rb"\[(?:a?ist|in)#\d+:(\d+)[/ ]")


def listen(
    tools: Tools, path: Path, streams: Sequence[AudioStream], clock: Sequence[int] = ()
) -> tuple[AudioStream, ...]:
    """The streams with what was heard of them.

    All in one reading of the file; one by one if that fails, for a stream without a decoder stops them all.

    Args:
        clock: streams to read along, see `ffmpeg.aside`.
    """
    if not streams:
        return ()
    together, status = _decode(tools, path, streams, clock)
    if status == 0 or len(streams) == 1:
        return together
    return tuple(_decode(tools, path, [stream], clock)[0][0] for stream in streams)


class _Ear:
    """Reads the lines of ffmpeg as they come."""

    def __init__(self, streams: Sequence[AudioStream]) -> None:
        self.first: dict[int, Fraction] = {}
        self.end: dict[int, Fraction] = {}
        self.heard: dict[int, Fraction] = {}
        self.broken: Counter[int] = Counter()
        self._streams = streams
        self._rest = {1: b"", 2: b""}

    def take_output(self, data: bytes) -> None:
        for line in self._lines(1, data):
            words = line.split()
            if len(words) == 5 and words[0] == b"sound":
                self._frame(int(words[1]), int(words[2]), Fraction(words[3].decode()), int(words[4]))

    def take_log(self, data: bytes) -> None:
        for line in self._lines(2, data):
            stream = _STREAM.search(line)
            if stream and any(words in line for words in COMPLAINTS):
                self.broken[int(stream[1])] += 1

    def described(self, number: int) -> AudioStream:
        stream = self._streams[number]
        known = {"broken": self.broken[stream.index]}
        if number not in self.first:
            return stream.model_copy(update=known)
        times = {"first": self.first[number], "end": self.end[number], "heard": self.heard[number]}
        return stream.model_copy(update={**known, **times})

    def _lines(self, stream: int, data: bytes) -> list[bytes]:
        *lines, self._rest[stream] = (self._rest[stream] + data).split(b"\n")
        return lines

    def _frame(self, number: int, pts: int, tick: Fraction, samples: int) -> None:
        start, end = pts * tick, (pts + samples) * tick  # a tick is a sample
        self.first[number] = min(start, self.first.get(number, start))
        self.end[number] = max(end, self.end.get(number, end))
        self.heard[number] = self.heard.get(number, Fraction(0)) + samples * tick


def _decode(
    tools: Tools, path: Path, streams: Sequence[AudioStream], clock: Sequence[int]
) -> tuple[tuple[AudioStream, ...], int]:
    """And ffmpeg's status."""
    ear, status = _Ear(streams), 0
    args = ffmpeg.source(path)
    for number, stream in enumerate(streams):
        # Streams that write to the same address share a buffer without a lock, so each has another name for it.
        args += ["-map", f"0:{stream.index}", f"-stats_enc_pre:a:{number}", f"pipe:{'0' * number}1"]
    args += ["-c:a", "anull", *ffmpeg.TOLERANT, "-stats_enc_pre_fmt", FRAME]
    mapped = {stream.index for stream in streams}
    args += ["-f", "null", "-", *ffmpeg.aside(index for index in clock if index not in mapped)]
    try:
        ffmpeg.ffmpeg(tools, args, on_output=ear.take_output, on_log=ear.take_log)
    except CommandFailed as error:
        status = error.status
    return tuple(ear.described(number) for number in range(len(streams))), status
