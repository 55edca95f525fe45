"""Many jobs from one CSV file: all of them, or none while one row is bad."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from video_pipeline.errors import PipelineError, RequestError
from video_pipeline.intake import once, spelled
from video_pipeline.intake.job import Job, parse
from video_pipeline.intake.sheet import Problem, Row, read
from video_pipeline.portable import json_or_text
from video_pipeline.stores.sources import local_path, paths_beside

META = "metadata."
FIELDS = tuple(field.alias or name for name, field in Job.model_fields.items() if name != "metadata")

LISTS: dict[str, Callable[[str, Path], Any]] = {
    "tags": lambda text, _: text,
    "thumbnailsAt": lambda text, _: spelled.moment(text),
    "subtitles": spelled.sidecar,
}
"""Fields of which a cell has several, and how each is read."""


@dataclass(frozen=True)
class Line:
    """A row that can be enqueued."""

    line: int
    job_id: str
    """The same for the same content."""
    job: Job


@dataclass(frozen=True)
class Bulk:
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]


def load(path: Path, presets_dir: Path | None) -> Bulk:
    """Every row as a job, and everything that is wrong with the others. Relative files are beside the CSV file.

    Columns are the job's fields by their names in the queue; entries of `tags`, `thumbnailsAt` and `subtitles` are
    separated by semicolons and written as in `spelled`; `metadata.<key>` is a custom field, read as JSON if it is some.

    Raises:
        RequestError: it cannot be read, or has no row or no usable columns.
    """
    sheet = read(path)
    unknown = [name for name in sheet.columns if name not in FIELDS and name.removeprefix(META) in ("", name)]
    if unknown:
        raise RequestError(
            f"{path}: line 1: column {unknown[0]} is unknown; there are {', '.join(FIELDS)} and {META}<key>"
        )
    if "source" not in sheet.columns:
        raise RequestError(f"{path}: line 1: there is no column source")
    if not sheet.rows and not sheet.problems:
        raise RequestError(f"{path}: there is no row below the names of the columns")
    check = _checker(presets_dir)
    lines: list[Line] = []
    problems = list(sheet.problems)
    videos: dict[str, int] = {}
    contents: dict[str, int] = {}
    for row in sheet.rows:
        data, wrong = _data(row, path.parent)
        wrong += [Problem(row.line, said, column) for column, *field in _by_column(data) if (said := check(*field))]
        if "source" not in row.cells:
            wrong.append(Problem(row.line, "is missing", "source"))
        if not wrong:
            job = Job.model_validate(data)
            line = Line(row.line, once.job_id("csv", job.data()), job)
            wrong += _repeated(line, videos, contents)
            lines.append(line)
        problems += wrong
    return Bulk(tuple(lines), tuple(sorted(problems, key=lambda problem: problem.line)))


def _repeated(line: Line, videos: dict[str, int], contents: dict[str, int]) -> list[Problem]:
    """A video twice in one file is a slip: nobody can say which of the two shall be seen in the end."""
    same = contents.setdefault(line.job_id, line.line)
    if same != line.line:
        return [Problem(line.line, f"is the same as line {same}")]
    video_id = line.job.video_id
    first = videos.setdefault(video_id, line.line) if video_id else line.line
    return [Problem(line.line, f"{video_id} is on line {first} already", "videoId")] if first != line.line else []


def _data(row: Row, beside: Path) -> tuple[dict[str, Any], list[Problem]]:
    """What its cells say, and which of them cannot be read."""
    data: dict[str, Any] = {}
    wrong: list[Problem] = []
    for name, cell in row.cells.items():
        try:
            value = _value(name, cell, beside)
        except RequestError as error:
            wrong.append(Problem(row.line, _without(name, error), name))
            continue
        if name.startswith(META):
            data.setdefault("metadata", {})[name.removeprefix(META)] = value
        else:
            data[name] = value
    return data, wrong


def _value(name: str, cell: str, beside: Path) -> Any:
    if name in LISTS:
        return [LISTS[name](entry, beside) for part in cell.split(";") if (entry := part.strip())]
    if name == "trim":
        return spelled.trim(cell)
    if name == "poster":
        return spelled.moment(cell)
    if name == "thumbnail":
        return spelled.picture(cell, beside)
    if name == "source" and "://" not in cell:
        return str((beside / cell).absolute())
    return json_or_text(cell) if name == "schemaVersion" or name.startswith(META) else cell


def _without(name: str, error: PipelineError) -> str:
    """What it says, without the field it is about, as the column is named beside it."""
    return str(error).removeprefix(f"{name}: ").removeprefix(f"{name} ")


def _by_column(data: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Column, field, and what the column gives to the field."""
    for name, value in data.items():
        if name == "metadata":
            yield from ((f"{META}{key}", name, {key: inner}) for key, inner in value.items())
        else:
            yield name, name, value


def _checker(presets_dir: Path | None) -> Callable[[str, object], str]:
    """A function that says what is wrong with a field's value; "" if nothing is. Looks at each text once: a preset is
    a file to be read."""

    def check(name: str, value: Any) -> str:
        try:
            job = parse({"source": "/", name: value}, presets_dir)
            if name == "source":
                local_path(value)
            paths_beside(job.options)
        except PipelineError as error:
            return _without(name, error)
        return ""

    once_each = functools.cache(check)
    return lambda name, value: (once_each if isinstance(value, str) else check)(name, value)
