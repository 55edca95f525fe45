from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from video_pipeline import settings
from video_pipeline.services import delivery
from video_pipeline.stores.objects import LocalStore


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def url(tmp_path: Path, store: LocalStore) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(delivery.application(settings.load(home=tmp_path)), port=0, log_level="warning", ws="none")
    )
    socket = server.config.bind_socket()
    socket.listen()  # who connects before the server runs is not refused
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
