"""SQL that people write: reading only, which the database itself enforces, and not for ever."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import quote

from video_pipeline.errors import RequestError
from video_pipeline.stores.index import BUSY_SECONDS, Index, explain

Value = str | int | float | bytes | None

_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock: well below a millisecond."""
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
# Those that only tell; data_version is what full-text tables ask for themselves.
_PRAGMAS = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list", "data_version"}


@dataclass(frozen=True)
class Result:
    columns: tuple[str, ...]
    """No name twice: the second `id` is `id_2`."""
    rows: list[tuple[Value, ...]]


def run(index: Index, sql: str, parameters: Sequence[Value] = (), *, seconds: float = 60) -> Result:
    """Runs one statement that reads.

    Raises:
        RequestError: it is no SQL, would change something, or takes longer than `seconds`.
        HomeError: there is no index yet, or it cannot be read.
    """
    index.require()
    try:
        sql.encode()  # Python 3.10 says nothing sensible of what is no UTF-8
        with closing(_connect(index)) as connection:
            deadline = time.monotonic() + seconds
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            cursor = connection.execute(sql, parameters)
            rows = cursor.fetchall()
            if cursor.description is None:
                raise RequestError("SQL: this gives no rows; write a SELECT")
            return Result(_unique([column[0] for column in cursor.description]), rows)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        text = str(error)
        ours = explain(index.path, text)
        if ours is not None:
            raise ours from error
        if text == "interrupted":
            raise RequestError(f"SQL: stopped after {seconds:g} s; ask for less at once") from None
        if "not authorized" in text or "prohibited" in text or "authorization denied" in text:
            raise RequestError(f"SQL: only reading is allowed ({text}); write a SELECT") from None
        raise RequestError(f"SQL: {text}") from None


def _connect(index: Index) -> sqlite3.Connection:
    uri = f"file:{quote(str(index.path.absolute()))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = ON")
        # A virtual table is declared on its first use, which the authorizer would take for a change.
        connection.execute("SELECT 1 FROM video_words LIMIT 0")
        connection.set_authorizer(_authorize)
    except BaseException:
        connection.close()
        raise
    return connection


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action in _READING:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second != "load_extension":
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    used: dict[str, None] = {}
    for name in names:
        number, free = 1, name
        while free in used:
            number += 1
            free = f"{name}_{number}"
        used[free] = None
    return tuple(used)
