"""The text of one cue: from the markup of Advanced SubStation Alpha, which ffmpeg decodes all text to, to WebVTT's."""

from __future__ import annotations

import re
from collections.abc import Iterator

# ffmpeg writes a brace of the text as \{ and guards a backslash of it with a word joiner.
_PART = re.compile(r"\\(?P<escape>[Nnh{}\u2060])|\{(?P<block>[^{}]*)\}|(?P<text>[^\\{]+|.)", re.DOTALL)
_ESCAPES = {"N": "\n", "n": " ", "h": "\u00a0", "\u2060": "\\"}
_OVERRIDE = re.compile(r"\\(?:(?P<name>[biup])(?P<value>-?\d*)|(?P<reset>r)[^\\]*|[^\\]*)(?=\\|$)")
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# What is no text: controls, and what makes a file invalid when it is written.
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ufeff\ud800-\udfff]")
Flags = tuple[str, ...]
"""Of "b", "i" and "u", those that are on, in the order they are opened."""


def webvtt(text: str, *, literal_braces: bool = False, italic: bool = False) -> str:
    """Lines for WebVTT; empty if nothing is left that can be read.

    Bold, italic and underlined stay; colours, fonts, positions, drawings and karaoke go.

    Args:
        text: of an ASS event.
        literal_braces: {this} is a part of the text unless it holds a backslash; in ASS itself it is a comment.
        italic: what its style says.
    """
    runs: list[tuple[Flags, str]] = []
    for flags, run in _runs(text, literal_braces, italic):
        if runs and runs[-1][0] == flags:
            runs[-1] = flags, runs[-1][1] + run
        else:
            runs.append((flags, run))
    return _lines(runs)


def _runs(text: str, literal_braces: bool, italic: bool) -> Iterator[tuple[Flags, str]]:
    always: Flags = ("i",) if italic else ()
    on, drawing = always, False
    for part in _PART.finditer(text):
        block = part["block"]
        if block is not None and ("\\" in block or not block or not literal_braces):
            for override in _OVERRIDE.finditer(block):
                name, value = override["name"], override["value"]
                if override["reset"]:
                    on = always
                elif name == "p":
                    drawing = value not in ("", "0")
                elif name:
                    # A bold of three digits is a weight of the font.
                    wanted = int(value) >= 600 or value == "1" if value not in ("", "-") else name in always
                    on = tuple(flag for flag in on if flag != name) + ((name,) if wanted else ())
        elif not drawing:
            escape = part["escape"]
            yield on, _ESCAPES.get(escape, escape) if escape else part[0]


def _lines(runs: list[tuple[Flags, str]]) -> str:
    """Each line with its own tags: they may not be left open over a line that is dropped."""
    lines: list[list[tuple[Flags, str]]] = [[]]
    for flags, run in runs:
        first, *more = _NOT_TEXT.sub("", run.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")).split("\n")
        lines[-1].append((flags, first))
        lines += [[(flags, line)] for line in more]
    written = (_line(line) for line in lines)
    return "\n".join(line for line in written if line)


def _line(runs: list[tuple[Flags, str]]) -> str:
    whole = "".join(run for _, run in runs)
    if not whole.strip():
        return ""
    skip, keep = len(whole) - len(whole.lstrip(" ")), len(whole.rstrip(" "))
    opened: Flags = ()
    written, place = "", 0
    for flags, run in runs:
        shown = run[max(0, skip - place) : max(0, keep - place)]
        place += len(run)
        if not shown:
            continue
        same = 0
        while same < min(len(opened), len(flags)) and opened[same] == flags[same]:
            same += 1
        written += "".join(f"</{flag}>" for flag in reversed(opened[same:]))
        written += "".join(f"<{flag}>" for flag in flags[same:]) + shown.translate(_ESCAPED)
        opened = flags
    return written + "".join(f"</{flag}>" for flag in reversed(opened))
