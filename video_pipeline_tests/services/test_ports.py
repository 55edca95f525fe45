from __future__ import annotations

import socket

import pytest

from video_pipeline.errors import ServiceDown
from video_pipeline.services import ports

HOST = "127.0.0.1"


def test_a_port_somebody_listens_on_is_passed_over() -> None:
    with socket.socket() as busy:
        # As gRPC does: another one could bind it too.
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        busy.bind((HOST, 0))
        busy.listen()
        wanted = busy.getsockname()[1]
        taken: set[int] = set()
        found = ports.free_port(HOST, wanted, taken)
        assert found > wanted
        assert ports.free_port(HOST, wanted, taken) > found, "promised to somebody already"


def test_there_may_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "TRIES", 1)
    with socket.socket() as busy:
        busy.bind((HOST, 0))
        busy.listen()
        wanted = busy.getsockname()[1]
        with pytest.raises(ServiceDown, match=str(wanted)):
            ports.free_port(HOST, wanted, set())
