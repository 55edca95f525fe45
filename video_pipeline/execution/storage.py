"""Dagster's SQLite storage with connections that stay open.

Dagster opens its databases anew for every statement, which reads their whole schema and compiles the statement again:
some thousand times for one video, three of the five seconds that a short one took. And it loads all its migrations
whenever it makes an instance, which is with every tick and every run. What is in the files, and when they are locked,
is as Dagster has it; a plain `dagster` on the same files works.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
import yaml
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._core.storage.sqlite_storage import (
    DagsterSqliteStorage,
    _event_logs_directory,
    _runs_directory,
    _schedule_directory,
)
from dagster._serdes import ConfigurableClassData

MOST_FILES = 16
"""Of each process: three, and one for each of the runs it looked at last."""
BUSY_SECONDS = 30
"""How long a writer waits for another one's transaction."""


@dataclass
class Database:
    pid: int
    engine: sa.Engine
    inode: int | None
    """Of the file, once there is one."""
    checked: bool = False
    """Its tables are there, and of this version of Dagster."""

    def close(self) -> None:
        """Closes the connections that nobody uses; one that somebody uses is closed when it is given back."""
        self.engine.dispose(close=self.pid == os.getpid())


class Databases:
    """Those of this process that were used last. A process that was forked gets its own, and a file that was made anew
    is another database."""

    def __init__(self, most: int = MOST_FILES) -> None:
        self._most = most
        self._open: OrderedDict[str, Database] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, url: str) -> Database:
        """The database of `sqlite:///` and a path."""
        with self._lock:
            inode, found = _inode(url), self._open.pop(url, None)
            if found is not None and (found.pid != os.getpid() or found.inode not in (None, inode)):
                found.close()
                found = None
            if found is None:
                # For files SQLAlchemy keeps connections, each for one thread at a time.
                engine = sa.create_engine(url, pool_size=2, max_overflow=-1, connect_args={"timeout": BUSY_SECONDS})
                found = Database(os.getpid(), engine, inode)
            found.inode = inode
            self._open[url] = found
            while len(self._open) > self._most:
                self._open.popitem(last=False)[1].close()
            return found


def _inode(url: str) -> int | None:
    try:
        return os.stat(url.removeprefix("sqlite:///")).st_ino
    except FileNotFoundError:
        return None


databases = Databases()


class _Runs(SqliteRunStorage):
    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        with databases.get(self._conn_string).engine.begin() as connection:
            yield connection


class _Schedules(SqliteScheduleStorage):
    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        with databases.get(self._conn_string).engine.begin() as connection:
            yield connection


class _Events(SqliteEventLogStorage):
    """Of every run, and an index over all: a file each."""

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            database = databases.get(self.conn_string_for_shard(shard))
            if not database.checked:
                self._initdb(database.engine)
                database.checked = True
            with database.engine.begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        """Asked for with nearly every statement."""
        with databases.get(self.conn_string_for_shard(INDEX_SHARD_NAME)).engine.connect() as connection:
            return bool(connection.dialect.has_table(connection, table_name))


T = TypeVar("T", _Runs, _Schedules)


def _opened(kind: type[T], directory: str, name: str) -> T:
    """Made or migrated, unless this process has seen to it before."""
    url = create_db_conn_string(directory, name)
    if databases.get(url).checked:
        return kind(url)
    found: T = kind.from_local(directory)  # type: ignore[assignment]  # its class, whatever is written there
    databases.get(url).checked = True
    return found


class WarmSqliteStorage(DagsterSqliteStorage):
    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self.base_dir = base_dir
        self._run_storage = _opened(_Runs, _runs_directory(base_dir), "runs")
        self._event_log_storage = _Events(_event_logs_directory(base_dir))
        self._schedule_storage = _opened(_Schedules, _schedule_directory(base_dir), "schedules")
        self._inst_data = inst_data
        # Its own makes the storages that open anew.
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> WarmSqliteStorage:
        return cls.from_local(inst_data=inst_data, **config_value)


class VideoInstance(DagsterInstance):
    """See `dagster.yaml`: the default storage is ours. One that is named there, such as PostgreSQL, is used instead."""

    @staticmethod
    def config_schema() -> Mapping[str, object]:
        """Dagster's own settings are all there are."""
        return {}

    @staticmethod
    def config_defaults(base_dir: str) -> Mapping[str, ConfigurableClassData | None]:
        ours = ConfigurableClassData(__name__, WarmSqliteStorage.__name__, yaml.safe_dump({"base_dir": base_dir}))
        return {**InstanceRef.config_defaults(base_dir), "storage": ours}
