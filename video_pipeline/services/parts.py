"""The programs of a stack: their command lines, and the small ones that run once. Each is a process of its own, so it
loads the code that lies on the disk when it starts."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from video_pipeline.settings import PROJECT, Settings

LOCATION = "video_pipeline"

_STORAGE = """
from dagster import DagsterInstance
from video_pipeline.resources import IndexResource
IndexResource().index
with DagsterInstance.get() as instance:
    instance.get_runs(limit=1), instance.event_log_storage, instance.all_instigator_state()
"""
_REHEARSAL = """
import importlib, sys, dagster
for name in ("daemon", "delivery", "worker"):
    importlib.import_module(f"video_pipeline.services.{name}")
import dagster_webserver.cli
dagster.Definitions.validate_loadable(importlib.import_module(sys.argv[1]).defs)
"""
_VERSION = """
from video_pipeline.execution.version import CODE_VERSION
print(CODE_VERSION)
"""


def storage() -> list[str]:
    """Creates and migrates all tables. Once, by one process: several at the same time would each start migrations."""
    return [sys.executable, "-c", _STORAGE]


def rehearsal() -> list[str]:
    """Loads all that the other parts load, and then does as `storage`; its last line is the version of the code."""
    return [sys.executable, "-c", _REHEARSAL + _STORAGE + _VERSION, _module()]


def version() -> list[str]:
    """Prints the version of the code on the disk."""
    return [sys.executable, "-c", _VERSION]


def worker() -> list[str]:
    return [sys.executable, "-m", "video_pipeline", "worker"]


def delivery() -> list[str]:
    return [sys.executable, "-m", "video_pipeline.services.delivery"]


def code_server(settings: Settings, port: int) -> list[str]:
    argv = [_script("dagster"), "api", "grpc", "-m", _module(), "-d", str(PROJECT), "-h", settings.host]
    return [*argv, "-p", str(port), "--location-name", LOCATION]


def webserver(settings: Settings, workspace: Path, port: int) -> list[str]:
    return [_script("dagster-webserver"), "-w", str(workspace), "-h", settings.host, "-p", str(port)]


def daemon(workspace: Path) -> list[str]:
    return [sys.executable, "-m", "video_pipeline.services.daemon", "run", "-w", str(workspace)]


def write_workspace(path: Path, settings: Settings, port: int) -> Path:
    """The workspace for webserver and daemon: the code of workspace.yaml, behind one code server."""
    server = {"host": settings.host, "port": port, "location_name": LOCATION}
    path.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
    return path


def _module() -> str:
    (entry,) = yaml.safe_load((PROJECT / "workspace.yaml").read_text())["load_from"]
    return str(entry["python_module"]["module_name"])


def _script(name: str) -> str:
    """A console script of this environment."""
    return str(Path(sys.executable).parent / name)
