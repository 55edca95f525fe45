"""Loudness by EBU R128 and over time, true peak and silence, from one pass over the encoded sound.

Momentary and short-term loudness are those of EBU Tech 3341 (https://tech.ebu.ch/docs/tech/tech3341.pdf): over 0.4 s
and over 3 s, ten times a second.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

from video_pipeline.media import process
from video_pipeline.media.model import Span
from video_pipeline.media.products import Loudness, LoudnessCurve
from video_pipeline.media.tools import Tools

SILENCE_DB = -60
SILENCE_SECONDS = 0.5
STEP = 0.1
"""Seconds between two measurements."""
POINTS = 6000
"""A curve has no more: ten minutes of all that was measured."""
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Measurements that may become one point of a curve."""
_GATE = -70.0
"""LUFS; what lies below does not count as programme (ITU-R BS.1770), so it is what ffmpeg prints for nothing."""


def measure(
    tools: Tools, path: Path, *, on_sound: Callable[[bytes], None] | None = None
) -> tuple[Loudness, tuple[Span, ...]]:
    """Loudness of an audio track, and where it is silent: below -60 dB for half a second or more.

    Args:
        on_sound: gets the decoded sound as it comes, a file of format AU with 16-bit samples.
    """
    graph = f"silencedetect=noise={SILENCE_DB}dB:duration={SILENCE_SECONDS},ebur128=peak=true:framelog=quiet:metadata=1"
    graph += "".join(f",ametadata=mode=print:key=lavfi.r128.{name}" for name in "MS")
    argv: list[str | Path] = [tools.ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-i", path, "-af", graph]
    argv += ["-c:a", "pcm_s16be", "-f", "au", "-"] if on_sound else ["-f", "null", "-"]
    log = _Log()
    # Not `keep_log`: of a long file it is many megabytes. The summary is its end.
    tail = process.run(argv, nice=tools.nice, on_stdout=on_sound, on_stderr=log.take).stderr
    summary = tail[tail.rfind("Summary:") :]
    integrated = _number(r"I:\s+(\S+) LUFS", summary)
    silent = integrated is None or integrated <= _GATE
    loudness = Loudness(
        integrated=None if silent else integrated,
        range=_number(r"LRA:\s+(\S+) LU\b", summary) if not silent and _varied(log.short_term) else None,
        true_peak=_number(r"Peak:\s+(\S+) dBFS", summary),
        momentary_max=_largest(log.momentary),
        short_term_max=_largest(log.short_term),
        curve=curve(log.momentary, log.short_term),
    )
    return loudness, tuple(Span(start=max(0.0, a), end=b) for a, b in zip(log.starts, log.ends, strict=False))


LEAST = 10
"""Short-term measurements of which a range is told: a second of them, behind the first three."""


def curve(momentary: Sequence[float], short_term: Sequence[float]) -> LoudnessCurve:
    """Of measurements `STEP` apart, at most `POINTS` points; each is the largest of its measurements.

    Args:
        momentary, short_term: LUFS.
    """
    per_point = next((n for n in _STEPS if len(momentary) <= n * POINTS), _STEPS[-1])
    return LoudnessCurve(
        seconds_per_point=round(per_point * STEP, 1),
        momentary=_thinned(momentary, per_point),
        short_term=_thinned(short_term, per_point),
    )


class _Log:
    """ffmpeg's log, read as it comes."""

    def __init__(self) -> None:
        self.momentary, self.short_term = array("f"), array("f")
        self.starts: list[float] = []
        self.ends: list[float] = []
        self._rest = b""
        self._places: dict[bytes, Callable[[float], None]] = {
            b"lavfi.r128.M=": self.momentary.append,
            b"lavfi.r128.S=": self.short_term.append,
            b"silence_start: ": self.starts.append,
            b"silence_end: ": self.ends.append,
        }

    def take(self, data: bytes) -> None:
        whole, newline, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest
        for name, value in re.findall(rb"(lavfi\.r128\.[MS]=|silence_(?:start|end): )(\S+)", whole + newline):
            self._places[name](float(value))


def _thinned(values: Sequence[float], per_point: int) -> tuple[float | None, ...]:
    return tuple(_largest(values[n : n + per_point]) for n in range(0, len(values), per_point))


def _varied(short_term: Sequence[float]) -> bool:
    """Whether there is enough to speak of a range: of one measurement ffmpeg says 20 LU."""
    return sum(value > _GATE for value in short_term) >= LEAST


def _largest(values: Sequence[float]) -> float | None:
    """To a tenth; None if nothing is loud enough to count, or the first window is not full yet."""
    largest = max(values, default=_GATE)
    return round(float(largest), 1) if largest > _GATE else None


def _number(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    value = float(found[1]) if found else math.nan
    return value if math.isfinite(value) else None
