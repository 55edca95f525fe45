"""Ports: the wanted one, or the next that is free."""

from __future__ import annotations

import socket

from video_pipeline.errors import ServiceDown

TRIES = 200


def free_port(host: str, wanted: int, taken: set[int]) -> int:
    """The first port from `wanted` on that nobody listens on; it is added to `taken`.

    gRPC shares its port with whoever asks (SO_REUSEPORT), so binding alone would not show a listener: connecting does.

    Raises:
        ServiceDown: there is none.
    """
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
