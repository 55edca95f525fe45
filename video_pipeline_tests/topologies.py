"""Redis as operators run it, each kind started for real: password, unix socket, TLS, Sentinel, Cluster."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
import redis.sentinel

from video_pipeline import settings as settings_module
from video_pipeline.services import children
from video_pipeline.services import redis as redis_server
from video_pipeline.services.children import Child
from video_pipeline.services.ports import choosing_ports, free_port
from video_pipeline_tests.processes import wait_for

HOST = "127.0.0.1"
USER, PASSWORD, SENTINEL_PASSWORD = "video", "p@ss/w:rd,1#2?", "other"
SERVICE = "main"
OBSERVER = "observer"
"""The name of the test's own connections."""
OBSERVING: dict[str, Any] = {"decode_responses": True, "client_name": OBSERVER}


@dataclass
class Topology:
    """One that runs.

    Attributes:
        connect: makes a client of redis-py that knows nothing of ours.
        servers: the processes that hold the data.
        settings: what `settings.load` needs besides the URL.
    """

    url: str
    connect: Callable[[ExitStack], Any]
    servers: list[Child]
    settings: dict[str, Any] = field(default_factory=dict)
    open: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def client(self) -> Any:
        return self.connect(self.open)

    @property
    def variables(self) -> dict[str, str]:
        """The same for the environment of a command."""
        named = {"redis_url": self.url, **self.settings}
        return {f"{settings_module.PREFIX}{name.upper()}": str(value) for name, value in named.items()}

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def again(self, server: Child) -> None:
        """Starts a server once more on its files, after its end."""
        argv = [str(word) for word in server.process.args]  # type: ignore[union-attr]
        started = _child(server.name, argv, server.log.parent)
        self.servers[self.servers.index(server)] = started


def _child(name: str, argv: list[str], directory: Path) -> Child:
    return children.start(name, argv, environment=os.environ, logs=directory, cwd=directory)


class _Starting:
    """Starts servers on free ports below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._taken: set[int] = set()
        self.started: list[Child] = []
        self.sockets: list[Path] = []

    def port(self) -> int:
        # Anywhere: a server that a test has killed comes back to the same port, and nobody shall have it meanwhile.
        return free_port(HOST, random.randrange(20_000, 32_000), self._taken)

    def server(self, *lines: str, sentinel: bool = False, program: Path | None = None) -> Child:
        directory = self.directory / f"server-{len(self.started)}"
        directory.mkdir()
        durable = ("appendonly yes", "appendfsync everysec", 'save ""', "maxmemory-policy noeviction")
        config = directory / "redis.conf"
        config.write_text("\n".join([f"bind {HOST}", f"dir {directory}", *(() if sentinel else durable), *lines, ""]))
        program = program or redis_server.find_server(settings_module.load())
        child = _child("server", [str(program), str(config), *(["--sentinel"] if sentinel else [])], directory)
        self.started.append(child)
        return child


def _plain(start: _Starting) -> Topology:
    port = start.port()
    return Topology(f"redis://{HOST}:{port}/0", _client_of(port=port), [start.server(f"port {port}")])


def _password(start: _Starting) -> Topology:
    """A user of its own; the default one has another password."""
    port = start.port()
    lines = (f"port {port}", f"user {USER} on >{PASSWORD} ~* &* +@all", "user default on >secret ~* &* +@all")
    url = f"redis://{USER}:{quote(PASSWORD, safe='')}@{HOST}:{port}/0"
    return Topology(url, _client_of(port=port, username=USER, password=PASSWORD), [start.server(*lines)])


def _unix(start: _Starting) -> Topology:
    # A socket's path has 107 bytes at most; a test's directory may be deeper.
    path = Path(tempfile.gettempdir()) / f"vp-{uuid.uuid4().hex}.sock"
    start.sockets.append(path)
    lines = ("port 0", f"unixsocket {path}", f"requirepass {_quoted(PASSWORD)}")
    url = f"unix://:{quote(PASSWORD, safe='')}@{path}?db=2"
    return Topology(url, _client_of(unix_socket_path=str(path), password=PASSWORD, db=2), [start.server(*lines)])


def _tls(start: _Starting) -> Topology:
    """Both sides show a certificate of an authority that no system knows."""
    program = _with_tls(start.directory)
    names = ("ca", "server", "client")
    key = {name: start.directory / f"{name}.key" for name in names}
    pem = {name: start.directory / f"{name}.pem" for name in names}
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    _openssl(*new, "-subj", "/CN=ca", "-keyout", key["ca"], "-out", pem["ca"])
    for name in ("server", "client"):
        what = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{HOST}"]
        _openssl(*new, *what, "-CA", pem["ca"], "-CAkey", key["ca"], "-keyout", key[name], "-out", pem[name])
    port = start.port()
    lines = ("port 0", f"tls-port {port}", f"tls-cert-file {pem['server']}", f"tls-key-file {key['server']}")
    child = start.server(*lines, f"tls-ca-cert-file {pem['ca']}", "tls-auth-clients yes", program=program)
    files = {"ssl_ca_certs": pem["ca"], "ssl_certfile": pem["client"], "ssl_keyfile": key["client"]}
    options = "&".join(f"{name}={path}" for name, path in files.items())
    url = f"rediss://{HOST}:{port}/0?{options}"
    return Topology(url, _client_of(port=port, ssl=True, **{name: str(path) for name, path in files.items()}), [child])


def _openssl(*argv: str | Path) -> None:
    subprocess.run([str(word) for word in argv], check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def _with_tls(directory: Path) -> Path:
    """The wheel's server has no TLS. Debian's has: the package redis-tools brings the program under another name."""
    for name in ("valkey-server", "redis-server", "valkey-check-rdb", "redis-check-rdb"):
        found = shutil.which(name)
        if found and b"libssl" in Path(found).read_bytes():
            # By the name it is called with, the program knows what it is.
            link = directory / "redis-server"
            link.symlink_to(found)
            return link
    pytest.skip("no Redis server with TLS: apt-get install redis-tools")


def _sentinel(start: _Starting) -> Topology:
    """A primary, a replica and three Sentinels; data and Sentinels have a password each."""
    secret = _quoted(PASSWORD)
    ports = start.port(), start.port()
    lines = (f"requirepass {secret}", f"masterauth {secret}", "repl-diskless-sync-delay 0")
    servers = [start.server(f"port {ports[0]}", *lines)]
    servers.append(start.server(f"port {ports[1]}", *lines, f"replicaof {HOST} {ports[0]}"))
    sentinel_ports = [start.port() for _ in range(3)]
    for port in sentinel_ports:
        watch = (
            f"sentinel monitor {SERVICE} {HOST} {ports[0]} 2",
            f"sentinel auth-pass {SERVICE} {secret}",
            f"sentinel down-after-milliseconds {SERVICE} 2000",
            f"sentinel failover-timeout {SERVICE} 10000",
            f"requirepass {SENTINEL_PASSWORD}",
            f"sentinel sentinel-pass {SENTINEL_PASSWORD}",
        )
        servers.append(start.server(f"port {port}", *watch, sentinel=True))
    nodes = [(HOST, port) for port in sentinel_ports]

    def connect(stack: ExitStack) -> Any:
        seen: Any = redis.sentinel.Sentinel(nodes, sentinel_kwargs={"password": SENTINEL_PASSWORD})  # type: ignore[no-untyped-call]
        for sentinel in seen.sentinels:
            stack.enter_context(sentinel)
        return stack.enter_context(seen.master_for(SERVICE, password=PASSWORD, **OBSERVING))

    def converged() -> bool:
        return all(_sees_all(port) for port in sentinel_ports)

    wait_for(converged, 60)
    hosts = ",".join(f"{host}:{port}" for host, port in nodes)
    options = f"sentinel_password={SENTINEL_PASSWORD}"
    return Topology(f"redis+sentinel://:{quote(PASSWORD, safe='')}@{hosts}/{SERVICE}/0?{options}", connect, servers)


def _sees_all(port: int) -> bool:
    """This Sentinel knows the replica and the two others."""
    try:
        with redis.Redis(port=port, password=SENTINEL_PASSWORD, decode_responses=True) as one:
            state: Any = one.sentinel_master(SERVICE)
            replicas: Any = one.sentinel_slaves(SERVICE)
    except redis.RedisError:
        return False
    return state["num-other-sentinels"] == 2 and any(not replica["is_disconnected"] for replica in replicas)


def _cluster(start: _Starting) -> Topology:
    """Three nodes, each with a third of the slots."""
    ports = [start.port() for _ in range(3)]
    lines = ("cluster-enabled yes", "cluster-config-file nodes.conf", "cluster-node-timeout 2000")
    servers = [start.server(f"port {port}", f"cluster-port {start.port()}", *lines) for port in ports]
    # Its types do not know CLUSTER.
    nodes: list[Any] = [redis.Redis(port=port, decode_responses=True) for port in ports]
    try:
        for number, node in enumerate(nodes):
            wait_for(lambda node=node: _pings(node))  # type: ignore[misc]
            first, after = (16_384 * n // 3 for n in (number, number + 1))
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", first, after - 1)
        for port, child in zip(ports[1:], servers[1:], strict=True):
            bus = next(
                line for line in (child.log.parent / "redis.conf").read_text().split("\n") if "cluster-port" in line
            )
            nodes[0].execute_command("CLUSTER", "MEET", HOST, port, bus.split()[1])
        for node in nodes:
            wait_for(lambda node=node: "cluster_state:ok" in _info(node) and "cluster_known_nodes:3" in _info(node))  # type: ignore[misc]
    finally:
        for node in nodes:
            node.close()

    def connect(stack: ExitStack) -> Any:
        return stack.enter_context(redis.RedisCluster(host=HOST, port=ports[0], **OBSERVING))

    url = f"redis+cluster://{','.join(f'{HOST}:{port}' for port in ports)}"
    return Topology(url, connect, servers, {"queue_prefix": "{bull}"})


def _info(node: Any) -> str:
    """CLUSTER INFO as it comes."""
    found = node.execute_command("CLUSTER", "INFO")
    return "\n".join(f"{name}:{value}" for name, value in found.items()) if isinstance(found, dict) else str(found)


def _pings(node: Any) -> bool:
    try:
        return bool(node.ping())
    except redis.RedisError:
        return False


def _client_of(**options: Any) -> Callable[[ExitStack], Any]:
    return lambda stack: stack.enter_context(redis.Redis(host=HOST, **OBSERVING, **options))


def _quoted(text: str) -> str:
    """For a configuration file."""
    return f'"{text}"'


KINDS: dict[str, Callable[[_Starting], Topology]] = {
    "plain": _plain,
    "password": _password,
    "unix": _unix,
    "tls": _tls,
    "sentinel": _sentinel,
    "cluster": _cluster,
}


@contextmanager
def running(kind: str, directory: Path) -> Iterator[Topology]:
    """A topology that serves; nothing of it is left afterwards."""
    start, found = _Starting(directory), None
    try:
        with choosing_ports():
            found = KINDS[kind](start)
            wait_for(found.answers, 30)
        yield found
    finally:
        if found:
            found.open.close()
        for child in [*start.started, *(found.servers if found else ())]:
            child.process.kill()  # they hold nothing that is needed
            child.process.wait()
        for path in start.sockets:
            path.unlink(missing_ok=True)
