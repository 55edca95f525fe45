from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from video_pipeline.errors import DiskFull, HomeError
from video_pipeline.media.options import Options
from video_pipeline.stores import index as index_module
from video_pipeline.stores import tables
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
from video_pipeline_tests.stores.processes import together
from video_pipeline_tests.stores.records import record

MIGRATIONS = Path(index_module.__file__).with_name("migrations")
UPGRADE = "from video_pipeline.stores.index import Index; Index(sys.argv[1]).upgrade()"


def test_the_newest_migration_is_the_one_named() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [tables.REVISION]


def test_migrations_make_the_tables(index: Index) -> None:
    with index.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": lambda name, *_: _ours(name)})
        assert compare_metadata(context, tables.metadata) == []


def test_an_index_of_the_first_version_keeps_its_rows(tmp_path: Path) -> None:
    """As `restart` with new code finds it."""
    index = Index(f"sqlite:///{tmp_path}/index.db")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with index.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    row = record().model_dump(include=set("video_id release_id request preset source_name source_sha256".split()))
    row |= {"source_bytes": 1, "container": "mov", "codec": "h264", "width": 2, "height": 2, "rate": 25.0}
    row |= {"duration": 4.0, "bytes": 7, "published": "2026-01-01", "tags": "[]", "metadata": "{}"}
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    with index.write() as connection:
        connection.execute(sa.text(f"INSERT INTO videos ({names}) VALUES ({values})"), row)
    index.upgrade()
    with index.read() as connection:
        found = connection.exec_driver_sql("SELECT video_id, bytes, momentary_max, download_path FROM videos").all()
    assert [tuple(one) for one in found] == [("film", 7, None, None)]


def _ours(name: str | None) -> bool:
    return not (name or "").startswith("video_words")


def test_requests_from_before_options_ask_for_none(tmp_path: Path) -> None:
    index = Index(f"sqlite:///{tmp_path}/index.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "upgrade", lambda config, _, upgrade=command.upgrade: upgrade(config, "0001"))
        index.upgrade()
    with closing(sqlite3.connect(index.path)) as raw, raw:
        assert "options" not in str(raw.execute("SELECT sql FROM sqlite_master WHERE name = 'requests'").fetchone())
        raw.execute(
            "INSERT INTO requests (video_id, version, source, preset, tags, metadata, created) "
            "VALUES ('v', 1, 's', 'web', '[]', '{}', '2026-01-01')"
        )
    index.upgrade()
    found = Requests(index).latest("v")
    assert found is not None
    assert found.options == Options()


def test_pragmas(index: Index) -> None:
    with closing(sqlite3.connect(index.path)) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with index.write() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


def test_many_processes_open_an_empty_home(tmp_path: Path) -> None:
    home = tmp_path / "not" / "there"
    together(UPGRADE, [[f"sqlite:///{home / 'index.db'}"]] * 6)
    with closing(sqlite3.connect(home / "index.db")) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [(tables.REVISION,)]
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_writer_holds_the_lock_from_the_start(index: Index) -> None:
    with index.write(), closing(sqlite3.connect(index.path, timeout=0)) as raw:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            raw.execute("BEGIN IMMEDIATE")
        assert raw.execute("SELECT count(*) FROM videos").fetchone() == (0,)  # readers go on


def test_a_failed_transaction_leaves_nothing(index: Index) -> None:
    def fail() -> None:
        with index.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO requests (video_id, version, source, preset, tags, metadata, created) "
                "VALUES ('v', 1, 's', 'web', '[]', '{}', '2026-01-01')"
            )
            raise KeyError("on purpose")

    with pytest.raises(KeyError):
        fail()
    with closing(sqlite3.connect(index.path)) as raw:
        assert raw.execute("SELECT count(*) FROM requests").fetchone() == (0,)


def test_readers_cannot_write(index: Index) -> None:
    with pytest.raises(HomeError, match="readonly"), index.read() as connection:
        connection.exec_driver_sql("DELETE FROM videos")


def test_a_view_is_consistent(index: Index) -> None:
    with index.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM requests").scalar() == 0
        with closing(sqlite3.connect(index.path)) as raw, raw:
            raw.execute(
                "INSERT INTO requests (video_id, version, source, preset, tags, metadata, created) "
                "VALUES ('v', 1, 's', 'web', '[]', '{}', '2026-01-01')"
            )
        assert connection.exec_driver_sql("SELECT count(*) FROM requests").scalar() == 0


def test_no_index_yet(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match=r"no index at .* yet"), Index(f"sqlite:///{tmp_path}/index.db").read():
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_index_of_a_newer_version(index: Index) -> None:
    with closing(sqlite3.connect(index.path)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(HomeError, match="newer version"):
        index.upgrade()


def test_a_file_that_is_no_index(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    path.write_bytes(os.urandom(5000))
    with pytest.raises(HomeError, match="damaged"):
        Index(f"sqlite:///{path}").upgrade()


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(HomeError, match="home"):
        Index(f"sqlite:///{tmp_path}/home/index.db").upgrade()


def test_a_directory_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "index.db").mkdir()
    with pytest.raises(HomeError, match="cannot be used"):
        Index(f"sqlite:///{tmp_path}/index.db").upgrade()


@pytest.mark.parametrize("url", ["postgresql://host/db", "sqlite://", "sqlite:///:memory:"])
def test_databases_that_are_not_built(url: str) -> None:
    with pytest.raises(HomeError, match="only SQLite in a file"):
        Index(url)


def test_a_full_disk(tmp_path: Path) -> None:
    place = tmp_path / "tiny"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("needs root that may mount a tmpfs")
    try:
        with pytest.raises(DiskFull, match="no space left"):
            Index(f"sqlite:///{place}/index.db").upgrade()
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_works_after_a_fork(index: Index) -> None:
    with index.write() as connection:
        connection.execute(sa.text("SELECT 1"))
    child = os.fork()
    if child == 0:
        try:
            with index.write() as connection:
                connection.exec_driver_sql("DELETE FROM videos")
            os._exit(0)
        finally:
            os._exit(1)
    with index.write() as connection:
        connection.exec_driver_sql("DELETE FROM videos")
    assert os.waitpid(child, 0)[1] == 0


def test_any_path_will_do(tmp_path: Path) -> None:
    index = Index(f"sqlite:///{tmp_path / 'a b%20#?ü'}/index.db")
    index.upgrade()
    with index.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM videos").scalar() == 0
    assert (tmp_path / "a b%20#?ü" / "index.db").is_file()
