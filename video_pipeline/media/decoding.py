"""What a decoder really gives: every picture's time, and where the file is broken.

ffmpeg writes a line per picture that reaches an encoder (-stats_enc_pre) to its standard output, and complains to its
standard error, so that a complaint comes about when the pictures around it do.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from video_pipeline.errors import CommandFailed
from video_pipeline.media import ffmpeg, timing
from video_pipeline.media.model import Span
from video_pipeline.media.technical import Damage, FrameTiming
from video_pipeline.media.tools import Tools

COMPLAINTS = (b"corrupt decoded frame", b"Error submitting packet to decoder", b"Decoding error")
"""Of ffmpeg about a picture it had to guess parts of, or could not decode."""
LINES = {"stats_enc_pre": "pipe:1", "stats_enc_pre_fmt": "picture {ni} {pts} {tb} {ptsi} {tbi}"}
"""Options of an output that make ffmpeg write those lines."""
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
        broken: complaints.
    """

    def __init__(self) -> None:
        self.numbers, self.times, self.source_times = array("q"), array("q"), array("q")
        self.tick = self.source_tick = Fraction(1)
        self.broken = 0
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
            if any(words in line for words in COMPLAINTS):
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
        self.broken += 1
        at = float(self.times[-1] * self.tick) if self.times else 0.0
        if self._places and at - self._places[-1][1] <= APART:
            self._places[-1][1] = max(self._places[-1][1], at)
        elif len(self._places) < MOST_PLACES:
            self._places.append([at, at])


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
    # ffmpeg also fails when most of a file is broken; what came out until then counts.
    with suppress(CommandFailed):
        args += ["-f", "null", "-", *ffmpeg.aside(index for index in clock if index != stream)]
        ffmpeg.ffmpeg(tools, args, on_output=log.take_output, on_log=log.take_log)
    damage = Damage(pictures=len(log.times), broken=log.broken, places=log.places())
    if not log.times:
        return None, damage
    shown = sorted(set(log.times))
    if 2 * len(shown) <= len(log.times):
        return timing.of_count(len(log.times), rate, decoded=True), damage  # all at one time
    last = timing.last_step(shown, log.tick, declared, 1 / rate)
    return timing.of_times(shown, log.tick, Fraction(0), last, decoded=True), damage
