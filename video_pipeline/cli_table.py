"""Tables for the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from tabulate import tabulate

WIDEST = 100
"""Letters of a cell for people; `--json` has all of it."""
NARROWEST = 16


def table(names: Sequence[str], rows: Sequence[Sequence[object]], wrap: Sequence[int] = ()) -> str:
    """Aligned text, numbers to the right. What a terminal would obey is left out of texts.

    Args:
        wrap: columns whose texts are broken into lines, so that the table fits; the last of them is the widest.
    """
    numeric = [all(isinstance(row[n], (int, float)) or row[n] is None for row in rows) for n in range(len(names))]
    headers = [_cell(name) for name in names]
    cells = [[_cell(value, WIDEST if n not in wrap else None) for n, value in enumerate(row)] for row in rows]
    text: str = tabulate(
        cells,
        headers=headers,
        colalign=["right" if right else "left" for right in numeric] if rows else None,
        maxcolwidths=_widths([headers, *cells], wrap) if wrap else None,
        disable_numparse=True,  # "007" is no number
    )
    return text


def _widths(rows: Sequence[Sequence[str]], wrap: Sequence[int]) -> list[int | None]:
    """Of the room that the other columns leave, a quarter to each but the last."""
    longest = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    room = shutil.get_terminal_size((120, 24)).columns - sum(
        2 + size for n, size in enumerate(longest) if n not in wrap
    )
    widths: list[int | None] = [None] * len(longest)
    for n in wrap[:-1]:
        widths[n] = max(NARROWEST, min(longest[n], room // 4))
        room -= (widths[n] or 0) + 2
    widths[wrap[-1]] = max(NARROWEST, room)
    return widths


def _cell(value: object, widest: int | None = WIDEST) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()  # tabulate would take "False" for a value that is true
    text = value.hex() if isinstance(value, bytes) else str(value)
    shown = text if widest is None or len(text) <= widest else f"{text[: widest - 1]}…"
    return "".join(letter if letter.isprintable() else " " for letter in shown)
