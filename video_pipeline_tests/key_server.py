"""A key server: the key for the pipeline, its bytes for players of HLS, and ClearKey's licences."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

KEY_ID, KEY, WRONG = "5eed0000112233445566778899aabbcc", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "00" * 16


@dataclass
class KeyServer:
    url: str = ""
    status: int = 200
    """Of every answer."""
    key: str = KEY
    body: bytes | None = None
    """In place of the key that the pipeline asks for."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path."""
    authorizations: list[str | None] = field(default_factory=list)

    @property
    def key_uri(self) -> str:
        return self.url + "/bytes/{video_id}/{key_id}"

    @property
    def license_uri(self) -> str:
        return self.url + "/licence"


@contextmanager
def running() -> Iterator[KeyServer]:
    """On a free port of this machine."""
    told = KeyServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.startswith("/bytes/"):
                return self.answer(bytes.fromhex(told.key), "application/octet-stream")
            pair = json.dumps({"key_id": KEY_ID, "key": told.key}).encode()
            return self.answer(pair if told.body is None else told.body, "application/json")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            key = {"kty": "oct", "kid": _base64url(KEY_ID), "k": _base64url(told.key)}
            self.answer(json.dumps({"keys": [key], "type": "temporary"}).encode(), "application/json")

        def do_OPTIONS(self) -> None:
            self.answer(b"", "text/plain")

        def answer(self, body: bytes, kind: str) -> None:
            told.asked.append((self.command, self.path))
            told.authorizations.append(self.headers.get("Authorization"))
            self.send_response(200 if self.command == "OPTIONS" else told.status)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Access-Control-Allow-Headers", "*")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _base64url(digits: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(digits)).decode().rstrip("=")
