"""What a decoder really gives: every picture's time, and where the file is broken.

ffmpeg writes a line per picture that reaches an encoder (-stats_enc_pre) to its standard output, and complains to its
standard error, so that a complaint comes about when the pictures around it do.
"""

from __future__ import annotations

import itertools
import math
from array import array
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from video_pipeline.errors import CommandFailed
from video_pipeline.media import ffmpeg, timing
from video_pipeline.media.model import Span
from video_pipeline.media.technical import Damage, FrameTiming
from video_pipeline.media.tools import Tools

GUESSED = b"corrupt decoded frame"
"""ffmpeg's complaint about a picture of which it had to guess parts."""
REFUSED = (b"Error submitting packet to decoder", b"Decoding error")
"""Its complaints about a packet that it could make nothing of."""
COMPLAINTS = (GUESSED, *REFUSED)
LINES = {"stats_enc_pre": "pipe:1", "stats_enc_pre_fmt": "picture {ni} {pts} {tb} {ptsi} {tbi}"}
"""Options of an output that make ffmpeg write those lines."""
KEYS_ALONE = ("-skip_frame", "nokey")
"""Before an input of which only key frames are wanted. ffmpeg's decoder of VP9 decodes all the same, so that the graph
begins with `KEYS`."""
KEYS = "select=key"
NO_TIME = -(2**63)
APART = 1.0
"""Seconds between two complaints that count as two places."""
MOST_PLACES = 20


class DecodeLog:
    """Reads both as they come.

    Attributes:
        numbers: of each picture that reached the encoder, its number as it left the decoder; one that is shown twice
            comes twice.
        times: when each is shown, ticks.
        source_times: when the decoder said so, source ticks; NO_TIME if it did not.
        tick, source_tick: seconds.
        broken: pictures of which parts were guessed.
        undecodable: packets that gave no picture; some cameras write such for pictures they left out.
    """

    def __init__(self) -> None:
        self.numbers, self.times, self.source_times = array("q"), array("q"), array("q")
        self.tick = self.source_tick = Fraction(1)
        self.broken = self.undecodable = 0
        self._places: list[list[float]] = []
        self._rest = {1: b"", 2: b""}

    def take_output(self, data: bytes) -> None:
        """From ffmpeg's standard output, where other lines may stand, too."""
        for line in self._lines(1, data):
            if line.startswith(b"picture "):
                self._picture(*line.decode("ascii").split()[1:])

    def take_log(self, data: bytes) -> None:
        """From its standard error."""
        for line in self._lines(2, data):
            if GUESSED in line:
                self.broken += 1
                self._complain()
            elif any(words in line for words in REFUSED):
                self.undecodable += 1
                self._complain()

    def places(self) -> tuple[Span, ...]:
        """Where it complained, s on the clock of the pictures; the first ones."""
        return tuple(Span(start=start, end=end) for start, end in self._places)

    def _lines(self, stream: int, data: bytes) -> list[bytes]:
        *lines, self._rest[stream] = (self._rest[stream] + data).split(b"\n")
        return lines

    def _picture(self, number: str, time: str, tick: str, source_time: str, source_tick: str) -> None:
        if not self.times:
            self.tick, self.source_tick = Fraction(tick), Fraction(source_tick)
        self.numbers.append(int(number))
        self.times.append(int(time))
        self.source_times.append(int(source_time))

    def _complain(self) -> None:
        at = float(self.times[-1] * self.tick) if self.times else 0.0
        if self._places and at - self._places[-1][1] <= APART:
            self._places[-1][1] = max(self._places[-1][1], at)
        elif len(self._places) < MOST_PLACES:
            self._places.append([at, at])


def _lost(log: DecodeLog, declared: Fraction | None) -> int:
    """Packets that gave no picture, as far as there are gaps for them in the clock of the others."""
    if not log.undecodable or len(log.times) < 2:
        return log.undecodable
    shown = sorted(set(log.times))
    steps = Counter(later - earlier for earlier, later in itertools.pairwise(shown))
    common = steps.most_common(1)[0][0]
    gaps = sum(math.ceil(step / common - 0.5) - 1 for step in steps.elements())
    ends = [shown[0] * log.tick, (declared or 0) - shown[-1] * log.tick]
    gaps += sum(max(0, int(end / (common * log.tick)) - 1) for end in ends)
    return min(log.undecodable, gaps)


def scan(
    tools: Tools,
    path: Path,
    stream: int,
    rate: Fraction,
    declared: Fraction | None,
    clock: Sequence[int] = (),
) -> tuple[FrameTiming | None, Damage]:
    """Decodes the whole stream: its true clock, None if no picture comes out, and what is broken.

    Args:
        rate: frames per second as declared, for pictures whose times say nothing.
        declared: duration as the container says, s.
        clock: streams to read along, see `ffmpeg.aside`.
    """
    log = DecodeLog()
    args = [*ffmpeg.source(path), "-map", f"0:{stream}", "-c:v", "wrapped_avframe", "-enc_time_base", "filter"]
    args += ["-fps_mode", "passthrough", *(word for name, value in LINES.items() for word in (f"-{name}", value))]
    # What came out until it failed counts; how much may be broken is for `damage` to say.
    with suppress(CommandFailed):
        args += ["-f", "null", "-", *ffmpeg.aside(index for index in clock if index != stream)]
        ffmpeg.ffmpeg(tools, [*ffmpeg.TOLERANT, *args], on_output=log.take_output, on_log=log.take_log)
    damage = Damage(pictures=len(log.times), broken=log.broken, lost=_lost(log, declared), places=log.places())
    if not log.times:
        return None, damage
    shown = sorted(set(log.times))
    if 2 * len(shown) <= len(log.times):
        return timing.of_count(len(log.times), rate, decoded=True), damage  # all at one time
    last = timing.last_step(shown, log.tick, declared, 1 / rate)
    return timing.of_times(shown, log.tick, Fraction(0), last, decoded=True), damage
