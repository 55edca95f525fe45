"""WebVTT as its standard has it (https://www.w3.org/TR/webvtt1/), read more strictly than players do."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEAD = re.compile(r"WEBVTT(?:[ \t][^\n]*)?(?:\n(?!.*-->)[^\n]+)*")
_TIMING = re.compile(r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3}) --> (?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})")
_PART = re.compile(r"&(?:amp|lt|gt|nbsp|lrm|rlm);|<(/?)([biu])>|[^&<>]+")


class NotWebVTT(ValueError):
    """Says what is wrong, and in which cue."""


def read(text: str) -> list[tuple[int, int, str]]:
    """The cues: start and end in ms, and the text as it stands there.

    Raises:
        NotWebVTT: it is not, or has no cue.
    """
    head, *blocks = re.split(r"\n{2,}", text.rstrip("\n"))
    if not _HEAD.fullmatch(head):
        raise NotWebVTT("it does not begin with WEBVTT")
    cues = [_cue(number, block) for number, block in enumerate(blocks, start=1)]
    if not cues:
        raise NotWebVTT("there is no cue in it")
    return cues


def _cue(number: int, block: str) -> tuple[int, int, str]:
    timing, _, text = block.partition("\n")
    found = _TIMING.fullmatch(timing)
    if found is None:
        raise NotWebVTT(f"cue {number} has no times: {timing[:60]!r}")
    start, end = (_milliseconds(*found.groups(default="0")[n : n + 4]) for n in (0, 4))
    if end <= start:
        raise NotWebVTT(f"cue {number} ends before it begins: {timing}")
    if not "".join(_words(number, text)).strip():
        raise NotWebVTT(f"cue {number} shows nothing")
    return start, end, text


def _milliseconds(hours: str, minutes: str, seconds: str, thousandths: str) -> int:
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


def _words(number: int, text: str) -> Iterator[str]:
    """What is shown of a cue's text."""
    opened: list[str] = []
    place = 0
    while place < len(text):
        found = _PART.match(text, place)
        if found is None:
            raise NotWebVTT(f"cue {number} has a bare {text[place]!r}: {text[place : place + 20]!r}")
        closes, tag = found.groups()
        if tag is None:
            yield found[0]
        elif not closes:
            opened.append(tag)
        elif not opened or opened.pop() != tag:
            raise NotWebVTT(f"cue {number} closes <{tag}>, which is not open")
        place = found.end()
    if opened:
        raise NotWebVTT(f"cue {number} leaves <{opened[-1]}> open")
