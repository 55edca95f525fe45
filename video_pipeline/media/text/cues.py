"""Cues on the clock of what is published, and WebVTT written from them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

LONGEST_GUESS = 5_000
"""Milliseconds a cue is shown at most if nothing says when it ends."""
CLOCK = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"
"""Cue time 0 is time 0 of the media (RFC 8216, 3.5); a reader that is no HLS player skips it."""


class Cue(NamedTuple):
    start: int
    """Milliseconds, as the end."""
    end: int | None
    """None if nothing says it."""
    text: str
    """In WebVTT's markup, without a blank line."""


def fit(cues: Iterable[Cue], duration: Fraction) -> list[Cue]:
    """The cues of a video of `duration` seconds, in order: cut at its ends, each with an end, none empty, none twice.

    A cue that goes on with the text of the one before is joined to it: animated subtitles are written so.
    """
    whole = int(duration * 1000)
    ordered = sorted({cue for cue in cues if cue.text}, key=lambda cue: (cue.start, cue.end or 0, cue.text))
    starts = sorted({cue.start for cue in ordered})
    following = dict(zip(starts, [*starts[1:], whole], strict=True)) if starts else {}
    fitted: list[Cue] = []
    last: dict[str, int] = {}
    for start, end, text in ordered:
        if end is None or end <= start:
            end = min(start + LONGEST_GUESS, following[start])
        start, end = max(0, start), min(whole, end)
        if end <= start:
            continue
        before = last.get(text)
        if before is not None and start <= (fitted[before].end or 0):
            fitted[before] = Cue(fitted[before].start, max(end, fitted[before].end or 0), text)
            continue
        last[text] = len(fitted)
        fitted.append(Cue(start, end, text))
    return fitted


def webvtt(cues: Iterable[Cue], *, clock: bool = True) -> str:
    """The text of a file; `clock` as a segment of HLS must have it."""
    head = f"WEBVTT\n{CLOCK}" if clock else "WEBVTT"
    return "\n\n".join([head, *(f"{_time(cue.start)} --> {_time(cue.end or 0)}\n{cue.text}" for cue in cues)]) + "\n"


def _time(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"
