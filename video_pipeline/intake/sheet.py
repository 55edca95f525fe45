"""A CSV file as rows of named cells, however the spreadsheet wrote it."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from video_pipeline.errors import RequestError

DELIMITERS = ",;\t"
LONGEST_CELL = 1 << 20
"""characters"""


@dataclass(frozen=True)
class Row:
    line: int
    """Of the file, from 1; where a cell has line breaks, that on which the row begins."""
    cells: dict[str, str]
    """By column, without empty ones and without spaces around them."""


@dataclass(frozen=True)
class Problem:
    line: int
    message: str
    column: str | None = None

    def __str__(self) -> str:
        return f"line {self.line}{f', column {self.column}' if self.column else ''}: {self.message}"


@dataclass(frozen=True)
class Sheet:
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    """Rows that have other cells than the first line has columns."""


def read(path: Path) -> Sheet:
    """The file's rows; empty lines are passed over. The first line names the columns, and its most frequent separator
    (comma, semicolon or tab) is that of all.

    Raises:
        RequestError: it cannot be read, or is no CSV file.
    """
    text = _text(path)
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    rows: list[Row] = []
    problems: list[Problem] = []
    columns: tuple[str, ...] = ()
    for line, cells in _records(path, text, delimiter):
        if not columns:
            columns = _columns(path, line, cells)
        elif len(cells) != len(columns):
            problems.append(Problem(line, f"has {len(cells)} cells, but there are {len(columns)} columns"))
        else:
            rows.append(Row(line, {name: cell for name, cell in zip(columns, cells, strict=True) if cell}))
    if not columns:
        raise RequestError(f"{path}: is empty; its first line must name the columns, such as source,videoId,title")
    return Sheet(columns, tuple(rows), tuple(problems))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        # Spreadsheets write a byte order mark; "Unicode text" is UTF-16.
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RequestError(f"{path}: line {line} is not UTF-8; save the file as CSV in UTF-8") from None
    if "\0" in text:
        raise RequestError(
            f"{path}: is no text file: there is a zero byte in line {text[: text.index(chr(0))].count(chr(10)) + 1}"
        )
    return text


def _records(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    limit = csv.field_size_limit(LONGEST_CELL)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        line = 1
        for record in reader:
            cells = [cell.strip() for cell in record]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise RequestError(f"{path}: line {line}: {error}; is a quotation mark missing or too many?") from None
    finally:
        csv.field_size_limit(limit)


def _columns(path: Path, line: int, cells: list[str]) -> tuple[str, ...]:
    double = {name for name in cells if cells.count(name) > 1}
    if "" in cells:
        raise RequestError(f"{path}: line {line}: column {cells.index('') + 1} has no name")
    if double:
        raise RequestError(f"{path}: line {line}: column {sorted(double)[0]} is there twice")
    return tuple(cells)
