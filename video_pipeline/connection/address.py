"""Where Redis is: one server, a primary that Sentinels know, or a Cluster, all written as one URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from redis.connection import parse_url

from video_pipeline.errors import RequestError, ServiceDown
from video_pipeline.settings import PREFIX, Settings

Kind = Literal["server", "sentinel", "cluster"]
Node = tuple[str, int]
KINDS: dict[str, tuple[Kind, str]] = {
    "redis": ("server", "redis"),
    "rediss": ("server", "rediss"),
    "unix": ("server", "unix"),
    "redis+sentinel": ("sentinel", "redis"),
    "rediss+sentinel": ("sentinel", "rediss"),
    "redis+cluster": ("cluster", "redis"),
    "rediss+cluster": ("cluster", "rediss"),
}
"""A URL's scheme: what is there, and redis-py's scheme for one connection to it."""
PORTS: dict[Kind, int] = {"server": 6379, "sentinel": 26379, "cluster": 6379}
TLS_OPTIONS = {
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_password",
    "ssl_cert_reqs",
    "ssl_check_hostname",
}
SENTINEL_OPTIONS = {"sentinel_username": "username", "sentinel_password": "password"}
OPTIONS = {"db", "username", "password", *TLS_OPTIONS}


@dataclass(frozen=True)
class Address:
    """A URL, understood.

    Attributes:
        text: for people: no password and no option is in it.
        nodes: the server, the Sentinels, or nodes of the Cluster; none for a socket.
        service: the primary's name among Sentinels.
        options: what redis-py's connections are made with; as pairs, so that an address can be a key.
        sentinel_options: likewise, for those to the Sentinels.
    """

    text: str
    kind: Kind
    nodes: tuple[Node, ...]
    service: str
    options: tuple[tuple[str, Any], ...]
    sentinel_options: tuple[tuple[str, Any], ...]
    tls: bool
    path: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Address({self.text!r})"  # the options hold the password

    @property
    def tls_options(self) -> dict[str, Any]:
        return {name: value for name, value in self.options if name in TLS_OPTIONS}


def redis_address(settings: Settings) -> Address:
    """Where queue and progress are.

    Raises:
        ServiceDown: no Redis is configured.
        RequestError: the URL cannot be used, or a prefix lacks the hash tag that a Cluster needs.
    """
    if settings.redis_url is None:
        raise ServiceDown(f"no queue: start `video-pipeline up`, or set {PREFIX}REDIS_URL")
    address = parse(settings.redis_url, f"{PREFIX}REDIS_URL")
    if address.kind == "cluster":
        _check_hash_tags(settings)
    return address


def _check_hash_tags(settings: Settings) -> None:
    """A script on several keys needs them all on one node."""
    for name, prefix in (("QUEUE_PREFIX", settings.queue_prefix), ("KEY_PREFIX", settings.key_prefix)):
        if not re.match(r"[^{]*\{[^}]+\}", prefix):
            tagged = f"{{{prefix}}}"
            raise RequestError(f"setting {PREFIX}{name}: a Redis Cluster needs a hash tag: {tagged!r}, not {prefix!r}")


def parse(text: str, variable: str) -> Address:
    """A URL out of the environment variable of this name.

    Raises:
        RequestError: it cannot be used; the message names the variable and holds no password.
    """
    try:
        return _parse(text)
    except ValueError as error:
        raise RequestError(f"setting {variable}: {error}") from None


_HIDDEN = str.maketrans("[]", "\ue000\ue001")
_SHOWN = {hidden: shown for shown, hidden in _HIDDEN.items()}


def _parse(text: str) -> Address:
    try:
        # Newer Pythons refuse an address in brackets that is not the only host (CVE-2024-11168).
        url = SplitResult(*(part.translate(_SHOWN) for part in urlsplit(text.translate(_HIDDEN))))
    except ValueError:
        raise ValueError("this is no URL") from None
    if url.scheme not in KINDS:
        raise ValueError(f"the scheme {url.scheme!r} is none of {', '.join(KINDS)}")
    kind, plain = KINDS[url.scheme]
    user, at, hosts = url.netloc.rpartition("@")
    if url.fragment or (not at and "@" in text):
        # It would be cut in the middle, and what is cut off would be in messages.
        raise ValueError("special characters of user and password are written %2F, %23, %3F, %40, ...")
    if plain == "unix":
        if hosts or not url.path.strip("/"):
            raise ValueError("a unix socket is written unix:///path/to/redis.sock?db=0")
        nodes: tuple[Node, ...] = ()
        service, database = "", ""
    else:
        nodes = tuple(_node(host, PORTS[kind]) for host in hosts.split(","))
        if kind != "cluster" and kind != "sentinel" and len(nodes) > 1:
            raise ValueError("several hosts need redis+sentinel:// or redis+cluster://")
        service, database = _path(kind, url)
    # redis-py reads all that is about one connection: credentials, options and their types.
    path = url.path if plain == "unix" else ""
    one = f"{plain}://{user}{at}{'' if path else 'host'}{path}?{url.query}"
    options = parse_url(one)  # type: ignore[no-untyped-call]
    sentinel = {own: options.pop(name) for name, own in SENTINEL_OPTIONS.items() if name in options}
    if sentinel and kind != "sentinel":
        raise ValueError("the options sentinel_username and sentinel_password are for redis+sentinel://")
    for name in ("connection_class", "host", "path"):
        options.pop(name, None)
    _check_options(options, kind, plain)
    if database:
        options["db"] = int(database)
    if "ssl_cert_reqs" in options:  # Celery's spelling too
        options["ssl_cert_reqs"] = str(options["ssl_cert_reqs"]).lower().removeprefix("cert_")
        if options["ssl_cert_reqs"] not in ("none", "optional", "required"):
            raise ValueError("the option ssl_cert_reqs is none, optional or required")
    tls = {name: value for name, value in options.items() if name in TLS_OPTIONS}
    shown = f"{url.scheme}://{hosts}{url.path}"
    return Address(
        text=shown if not options.get("db") or database else f"{shown}?db={options['db']}",
        kind=kind,
        nodes=nodes,
        service=service,
        options=tuple(sorted(options.items())),
        sentinel_options=tuple(sorted({**sentinel, **tls}.items())),
        tls=plain == "rediss",
        path=path,
    )


def _node(text: str, port: int) -> Node:
    one = urlsplit(f"//{text}")
    try:
        found = one.port
    except ValueError:
        raise ValueError("a port is a number up to 65535") from None
    if not one.hostname:
        raise ValueError("a host is missing")
    return one.hostname, found or port


def _path(kind: Kind, url: SplitResult) -> tuple[str, str]:
    """Service and database, of /0, /service or /service/0."""
    parts = [part for part in url.path.split("/") if part]
    service = ""
    if kind == "sentinel":
        if not parts:
            raise ValueError("the primary's name is missing: redis+sentinel://host1,host2/name/0")
        service, *parts = parts
    if len(parts) > 1 or not all(part.isdecimal() for part in parts):
        raise ValueError("the path ends with something else than a database number")
    if kind == "cluster" and parts not in ([], ["0"]):
        raise ValueError("a Cluster has only database 0")
    return service, parts[0] if parts and kind != "cluster" else ""


def _check_options(options: dict[str, Any], kind: Kind, plain: str) -> None:
    for name in options:
        if name not in OPTIONS or (kind == "cluster" and name == "db"):
            raise ValueError(f"the option {name!r} is not known; there are {', '.join(sorted(OPTIONS))}")
        if name in TLS_OPTIONS and plain != "rediss":
            raise ValueError(f"the option {name!r} is for rediss://")
