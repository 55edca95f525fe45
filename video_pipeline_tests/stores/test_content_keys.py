"""Keys from a file and from a real HTTP server; no part of a key is told when one cannot be used."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from video_pipeline.errors import KeysMissing, PipelineError, RequestError, ServiceDown
from video_pipeline.stores import content_keys
from video_pipeline_tests import key_server
from video_pipeline_tests.key_server import KEY, KEY_ID, KeyServer

DIGITS = "12345678901234567890123456789012"


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with key_server.running() as server:
        yield server


def written(directory: Path, content: object) -> Path:
    path = directory / "keys"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("content", "video_id", "key"),
    [
        pytest.param({"film": {"key_id": KEY_ID, "key": KEY}}, "film", KEY, id="JSON"),
        pytest.param({"film": {"key_id": KEY_ID, "key": KEY}, "*": {"key_id": KEY_ID, "key": DIGITS}}, "else", DIGITS),
        pytest.param(f"film:\n  key_id: {DIGITS}\n  key: {DIGITS}\n", "film", DIGITS, id="YAML without letters"),
        pytest.param(f"'*': {{key_id: {KEY_ID}, key: {KEY.upper()}}}", "film", KEY, id="capitals"),
        pytest.param(f"'1': {{key_id: {KEY_ID}, key: {KEY}}}", "1", KEY, id="an id of digits"),
    ],
)
def test_from_a_file(tmp_path: Path, content: object, video_id: str, key: str) -> None:
    found = content_keys.find(video_id, written(tmp_path, content), None)
    assert (found.video_id, found.key.hex()) == (video_id, key)
    assert found.key_id in (KEY_ID, DIGITS)
    assert "key=" not in repr(found)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param({"film": {"key_id": KEY_ID, "key": KEY[:-2]}}, "film: key must be 32 hex digits.*30 characters"),
        pytest.param({"film": {"key_id": KEY_ID}}, "film: key must be 32 hex digits.*missing"),
        pytest.param({"film": {"key_id": "x" * 32, "key": KEY}}, "film: key_id must be"),
        pytest.param({"film": KEY}, "film: give key_id and key"),
        pytest.param({"other": {"key_id": KEY_ID, "key": KEY}}, "no key for film and none for all others"),
        pytest.param([KEY], "must be a mapping"),
        pytest.param(f"film: {{key: {KEY}", "neither JSON nor YAML"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(RequestError, match=said) as error:
        content_keys.find("film", written(tmp_path, content), None)
    assert str(tmp_path / "keys") in str(error.value)
    assert KEY[:6] not in f"{error.value}{error.value.detail}"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(KeysMissing, match="cannot be read: No such file"):
        content_keys.find("film", tmp_path / "nothing", None)


def test_a_file_that_everybody_can_read_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, {"*": {"key_id": KEY_ID, "key": KEY}})
    assert content_keys.configured(path, None) == f"key file {path}"
    path.chmod(0o644)
    assert "every user of this machine can read it" in content_keys.configured(path, None)


def test_no_keys_or_two_places() -> None:
    with pytest.raises(KeysMissing, match="set VIDEO_PIPELINE_KEY_FILE or VIDEO_PIPELINE_KEY_SERVER"):
        content_keys.find("film", None, None)
    with pytest.raises(RequestError, match="both set"):
        content_keys.find("film", Path("keys"), "https://keys.example/{video_id}")
    with pytest.raises(RequestError, match=r"needs \{video_id\}"):
        content_keys.find("film", None, "https://keys.example/")


def test_from_a_server(server: KeyServer) -> None:
    address = server.url.replace("//", "//me:pass%20word@") + "/v1/{video_id}?token=t0ken"
    found = content_keys.find("film", None, address)
    assert (found.video_id, found.key_id, found.key.hex()) == ("film", KEY_ID, KEY)
    assert server.asked == [("GET", "/v1/film?token=t0ken")]
    assert server.authorizations == ["Basic bWU6cGFzcyB3b3Jk"]  # base64 of "me:pass word"
    assert content_keys.configured(None, address) == f"key server {server.url}/v1/{{video_id}}"


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (404, None, RequestError, "has no key for film: it answers 404"),
        (302, None, RequestError, "it answers 302"),
        (200, b"<html>" + KEY.encode(), RequestError, "is not JSON"),
        (200, b"[]", RequestError, "give key_id and key"),
        (200, json.dumps({"key_id": KEY_ID, "key": KEY + "00"}).encode(), RequestError, "it is 34 characters"),
        (200, b"", RequestError, "is not JSON"),
        (500, None, ServiceDown, "answers 500 for film"),
        (503, None, ServiceDown, "answers 503"),
        (401, None, ServiceDown, "answers 401"),
        (429, None, ServiceDown, "answers 429"),
    ],
)
def test_answers_that_are_no_key(
    server: KeyServer, status: int, body: bytes | None, kind: type[PipelineError], said: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(kind, match=said) as error:
        content_keys.find("film", None, server.url.replace("//", "//me:secret@") + "/{video_id}")
    assert server.url in str(error.value)
    assert "secret" not in str(error.value)
    assert KEY[:6] not in str(error.value)


def test_a_server_that_is_away_or_says_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/{{video_id}}"
        with pytest.raises(ServiceDown, match=r"does not answer: .*refused"):
            content_keys.find("film", None, address)
        silent.listen()
        with pytest.raises(ServiceDown, match="does not answer: timed out"):
            content_keys.find("film", None, address, seconds=0.1)
