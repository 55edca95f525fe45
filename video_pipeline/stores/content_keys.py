"""Where the keys of protected videos come from: a file, or a key server. They are read anew each time and not kept."""

from __future__ import annotations

import base64
import http.client
import json
import re
import stat
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import yaml

from video_pipeline.errors import KeysMissing, RequestError, ServiceDown
from video_pipeline.media.protection import ContentKey

ANY = "*"
MOST = 65_536
"""Bytes of an answer that are read."""
BUSY = (401, 403, 408, 425, 429)
"""Statuses that say nothing about the video: the server does not know us, or wants to be asked later."""
HOW = "set VIDEO_PIPELINE_KEY_FILE or VIDEO_PIPELINE_KEY_SERVER"


def find(video_id: str, file: Path | None, server: str | None, seconds: float = 10) -> ContentKey:
    """The key of a video.

    Args:
        file: JSON or YAML, see `Settings.key_file`.
        server: an address, see `Settings.key_server`.
        seconds: how long the server may take.

    Raises:
        KeysMissing: see `configured`.
        RequestError: both are given, or there is no usable key of this video; no part of a key is told.
        ServiceDown: the server does not answer, or not to us.
    """
    configured(file, server)
    where, found = _from_file(video_id, file) if file else _from_server(video_id, server or "", seconds)
    if not isinstance(found, dict):
        raise RequestError(f"{where}: give key_id and key, 32 hex digits each")
    fields = {name: str(found.get(name, "")).replace("-", "").lower() for name in ("key_id", "key")}
    for name, value in fields.items():
        if not re.fullmatch("[0-9a-f]{32}", value):
            length = f"{len(value)} characters" if value else "missing"
            raise RequestError(f"{where}: {name} must be 32 hex digits (16 bytes); it is {length}")
    return ContentKey(video_id, fields["key_id"], bytes.fromhex(fields["key"]))


def configured(file: Path | None, server: str | None) -> str:
    """Where keys come from, in words.

    Raises:
        KeysMissing: from nowhere, or from a file that cannot be read.
        RequestError: from two places, or from a file that makes no sense.
    """
    if file and server:
        raise RequestError("VIDEO_PIPELINE_KEY_FILE and VIDEO_PIPELINE_KEY_SERVER are both set; keep one")
    if file:
        _table(file)
        open_to_all = file.stat().st_mode & stat.S_IROTH
        return f"key file {file}" + ("; every user of this machine can read it: chmod 600" if open_to_all else "")
    if server is None:
        raise KeysMissing(f"there are no keys: {HOW}")
    if "{video_id}" not in server:
        raise RequestError("setting VIDEO_PIPELINE_KEY_SERVER: it needs {video_id}, for the server to know which key")
    return f"key server {_shown(server)}"


def _from_file(video_id: str, file: Path) -> tuple[str, Any]:
    table = _table(file)
    name = video_id if video_id in table else ANY
    if name not in table:
        raise RequestError(f'key file {file}: it has no key for {video_id} and none for all others ("{ANY}")')
    return f"key file {file}: {name}", table[name]


def _table(file: Path) -> dict[Any, Any]:
    try:
        # As text throughout: YAML would take a key of digits alone for a number.
        table = yaml.load(file.read_text("utf-8"), yaml.BaseLoader)
    except OSError as error:
        raise KeysMissing(f"key file {file}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        # What the parser says would quote a line with a key.
        raise RequestError(f"key file {file}: it is neither JSON nor YAML") from None
    if not isinstance(table, dict):
        raise RequestError(f'key file {file}: it must be a mapping of video ids, or "{ANY}", to key_id and key')
    return table


def _from_server(video_id: str, server: str, seconds: float) -> tuple[str, Any]:
    where = f"key server {_shown(server)}"
    parts = urlsplit(server.replace("{video_id}", quote(video_id, safe="")))
    netloc = parts.netloc.rpartition("@")[2]
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=netloc)), headers={"Accept": "application/json"})
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        request.add_header("Authorization", f"Basic {base64.b64encode(pair).decode()}")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=seconds) as answer:
            return where, json.loads(answer.read(MOST))
    except urllib.error.HTTPError as error:
        error.close()
        if error.code >= 500 or error.code in BUSY:
            raise ServiceDown(f"{where} answers {error.code} for {video_id}; trying again later") from None
        raise RequestError(f"{where} has no key for {video_id}: it answers {error.code}") from None
    except (ValueError, RecursionError):
        raise RequestError(f"{where}: what it answers for {video_id} is not JSON") from None
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "reason", None) or error
        raise ServiceDown(f"{where} does not answer: {why}") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Who we are is for this server alone."""

    def redirect_request(self, *_: object) -> None:
        return None


def _shown(server: str) -> str:
    """Without user, password and query, which may hold a token."""
    parts = urlsplit(server)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
