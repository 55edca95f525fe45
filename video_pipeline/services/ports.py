"""Ports: the wanted one, or the next that is free."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from video_pipeline.errors import ServiceDown

TRIES = 200


@contextmanager
def choosing_ports() -> Iterator[None]:
    """One stack of this user at a time finds its ports and listens on them: between the two, another one would find
    the same."""
    lock = os.open(Path(tempfile.gettempdir()) / f"video-pipeline-ports-{os.getuid()}", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def free_port(host: str, wanted: int, taken: set[int]) -> int:
    """The first port from `wanted` on that nobody listens on; it is added to `taken`.

    gRPC shares its port with whoever asks (SO_REUSEPORT), so binding alone would not show a listener: connecting does.

    Raises:
        ServiceDown: there is none, or `host` is not an address of this machine.
    """
    try:
        with socket.create_server((host, 0)):
            pass
    except OSError as error:
        raise ServiceDown(f"VIDEO_PIPELINE_HOST {host}: nothing can listen there: {error.strerror}") from None
    for port in range(wanted, min(65_535, wanted + TRIES)):
        if port not in taken and not listens(host, port) and _bindable(host, port):
            taken.add(port)
            return port
    raise ServiceDown(f"no free port on {host} from {wanted} to {wanted + TRIES}")


def listens(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True


def _bindable(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
