"""The index: a database of what was asked for and what was published, for the pipeline and for people."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from video_pipeline.errors import DiskFull, HomeError, PipelineError, TransientError, classify
from video_pipeline.stores.tables import REVISION

BUSY_SECONDS = 30
"""How long a writer waits for another one's transaction; ours take milliseconds."""
_MIGRATIONS = Path(__file__).with_name("migrations")


class Index:
    """Opens nothing until it is used. Threads and forked processes may share it: every use is a new connection.

    `url` is `sqlite:///` and the path of the file, as it is: nothing in it is escaped.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.path = Path(url.removeprefix("sqlite:///"))
        if not url.startswith("sqlite:///") or self.path.name in ("", ":memory:"):
            raise HomeError(f"index {url}: only SQLite in a file can be used, such as sqlite:////data/index.db")

    @cached_property
    def engine(self) -> sa.Engine:
        """For writing; a transaction takes the write lock when it begins."""
        url = sa.URL.create("sqlite", database=str(self.path))
        engine = sa.create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})
        sa.event.listen(engine, "connect", _configure)
        # Else SQLite takes the lock at the first write and fails at once if somebody wrote since the first read.
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    @cached_property
    def readers(self) -> sa.Engine:
        """For reading: the database itself refuses every write."""
        file = f"file:{quote(str(self.path.absolute()))}"
        url = sa.URL.create("sqlite", database=file, query={"mode": "ro", "uri": "true"})
        engine = sa.create_engine(url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})
        sa.event.listen(engine, "connect", _configure_reader)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction with the write lock from its start; rolled back on any error.

        Raises:
            HomeError, DiskFull: the database cannot be used.
            TransientError: another writer held the lock for `BUSY_SECONDS`.
        """
        with self._explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view; waits for no writer. Raises as `write`, and `HomeError` if there is no index yet."""
        self.require()
        with self._explained(), self.readers.connect() as connection:
            yield connection

    def require(self) -> None:
        """Raises `HomeError` if there is no index yet."""
        if not self.path.is_file():
            raise HomeError(f"there is no index at {self.path} yet; process or submit a video first")

    def upgrade(self) -> None:
        """Makes the database if there is none and brings it to the newest schema. Cheap if it is; safe in parallel.

        Raises:
            HomeError: it cannot be made, or was written by a newer version.
            DiskFull: no space.
        """
        if self._revision() == REVISION:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(f"{self.path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise classify(error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._revision() != REVISION:
                self._migrate()
        finally:
            os.close(lock)

    def _revision(self) -> str | None:
        """The schema's, None if there is none."""
        if not self.path.is_file():
            return None
        with self.read() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return found

    def _migrate(self) -> None:
        # Imported here: it takes a fifth of a second, and mostly there is nothing to migrate.
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        with self._explained():
            with self.engine.connect() as connection:
                # Not inside a transaction; stays with the file. Readers and the writer then do not block each other.
                driver: Any = connection.connection.driver_connection
                driver.execute("PRAGMA journal_mode = WAL")
            try:
                with self.engine.begin() as connection:
                    config.attributes["connection"] = connection
                    command.upgrade(config, "head")
            except CommandError as error:
                raise HomeError(
                    f"index {self.path} has a schema this version does not know; use the newer version ({error})"
                ) from None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DatabaseError as error:
            ours = explain(self.path, str(error.orig))
            if ours is None:
                raise
            raise ours from error


def explain(path: Path, text: str) -> PipelineError | None:
    """What SQLite's message says of the file, if it is about the file.

    By text: Python 3.10 does not tell SQLite's error code.
    """
    if text.startswith("database or disk is full"):
        return DiskFull(f"index {path}: no space left on device; free some and try again")
    if text.startswith(("database is locked", "database table is locked", "database schema is locked")):
        return TransientError(f"index {path}: another writer held it for {BUSY_SECONDS} s")
    if text.startswith(("unable to open database", "attempt to write a readonly", "disk I/O error")):
        return HomeError(f"index {path}: cannot be used: {text}")
    if text.startswith(("database disk image is malformed", "file is not a database")):
        return HomeError(f"index {path}: the file is damaged ({text}); restore a copy or move it away")
    return None


def _configure(connection: Any, _: object) -> None:
    # SQLAlchemy's events begin the transaction, not the sqlite3 module
    # (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#pysqlite-serializable).
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _configure_reader(connection: Any, _: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only = ON")
