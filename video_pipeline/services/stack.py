"""The whole stack of one machine: queue server, code server, worker, daemon and webserver."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from video_pipeline.connection import client, url
from video_pipeline.connection.waiting import wait_for_redis
from video_pipeline.errors import HomeError, ServiceDown
from video_pipeline.execution.broker import broker
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.slots import workers
from video_pipeline.home import prepare
from video_pipeline.services import redis as redis_server
from video_pipeline.services.children import Child, start, stop, wait_until
from video_pipeline.services.health import daemons_healthy, loaded
from video_pipeline.services.ports import choosing_ports, free_port, listens
from video_pipeline.services.signals import STOPPING
from video_pipeline.settings import PROJECT, Settings
from video_pipeline.settings import load as load_settings
from video_pipeline.stores.scratch import sweep

READY_SECONDS = 90.0
LOCATION = "video_pipeline"
QUEUE = "queue"


class Stack:
    """Start it, watch it with `check`, stop it; nothing is left behind.

    Attributes:
        settings: those the children have, with the addresses that were found free.
        web: address of the Dagster UI.
        delivery: address of the published files.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self.settings, self._say = settings, say
        self._children: list[Child] = []
        self._lock: int | None = None
        self.web = self.delivery = ""

    # --- what is in the home directory

    @property
    def _run(self) -> Path:
        return self.settings.home / "run"

    @property
    def _logs(self) -> Path:
        return self.settings.home / "logs"

    def start(self) -> None:
        """Starts every part and waits until each does its work.

        Raises:
            ServiceDown: a part did not start; the message has its last words. Everything else was stopped again.
            HomeError: another stack has this home.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        prepare(self.settings)
        for directory in (self._run, self._logs, self.settings.home / "redis"):
            directory.mkdir(exist_ok=True)
        self._take_lock()
        self.settings.scratch.mkdir(parents=True, exist_ok=True)
        sweep(self.settings.scratch)
        if self.settings.redis_url is not None:
            broker(self.settings)  # refuses what Celery cannot use
            wait_for_redis(self.settings, self.settings.redis_wait_seconds, self._say)
        with choosing_ports():
            self._start_parts()
        self.check()
        self._write_addresses()

    def _start_parts(self) -> None:
        taken: set[int] = set()
        if self.settings.redis_url is None:
            self._start_redis(self._port("queue", self.settings.redis_port, taken))
        code_port = self._port("code server", self.settings.code_port, taken)
        web_port = self._port("Dagster UI", self.settings.web_port, taken)
        delivery_port = self._port("delivery", self.settings.delivery_port, taken)
        self.settings = self._with(delivery_port=delivery_port)
        self._create_storage()
        workspace = self._workspace(code_port)
        code = self._child("code-server", self._code_server(code_port))
        worker = self._child(
            "worker", [sys.executable, "-m", "video_pipeline", "worker"], stop_signal=signal.SIGQUIT, patience=8.0
        )
        delivery = self._child("delivery", [sys.executable, "-m", "video_pipeline.services.delivery"])
        wait_until(code, lambda: listens(self.settings.host, code_port), READY_SECONDS)
        web = self._child(
            "webserver",
            [_script("dagster-webserver"), "-w", str(workspace), "-h", self.settings.host, "-p", str(web_port)],
        )
        daemon = self._child(
            "daemon", [sys.executable, "-m", "video_pipeline.services.daemon", "run", "-w", str(workspace)]
        )
        self.web = f"http://{self.settings.host}:{web_port}"
        self.delivery = f"http://{self.settings.host}:{delivery_port}"
        wait_until(web, lambda: loaded(self.web), READY_SECONDS)
        wait_until(worker, lambda: bool(workers(self.settings)), READY_SECONDS)
        wait_until(daemon, lambda: daemons_healthy(self.web), READY_SECONDS)
        wait_until(delivery, lambda: listens(self.settings.host, delivery_port), READY_SECONDS)

    def _take_lock(self) -> None:
        lock = os.open(self._run / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 32).decode().strip()
            os.close(lock)
            raise HomeError(f"{self.settings.home} is in use by a stack already (process {holder})") from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock

    def _port(self, name: str, wanted: int, taken: set[int]) -> int:
        port = free_port(self.settings.host, wanted, taken)
        if port != wanted:
            self._say(f"port {wanted} is busy, the {name} takes {port}")
        return port

    def _start_redis(self, port: int) -> None:
        program = redis_server.find_server(self.settings)
        argv = redis_server.command(program, self.settings.home / "redis", self.settings.host, port)
        self.settings = self._with(redis_url=f"redis://{self.settings.host}:{port}/0")
        child = self._child(QUEUE, argv)
        wait_until(child, lambda: redis_server.answers(self.settings), READY_SECONDS)
        # The server is ours alone, so whoever reconciled before is gone: nobody has to wait for that lease to run out.
        client(self.settings).delete(Keys(self.settings).lease)

    def _with(self, **found: Any) -> Settings:
        return self.settings.model_copy(update=found)

    def _create_storage(self) -> None:
        """Once, by one process: several at the same time would each start Dagster's migrations."""
        code = (
            "from dagster import DagsterInstance\n"
            "from video_pipeline.resources import IndexResource\n"
            "IndexResource().index\n"
            "with DagsterInstance.get() as instance:\n"
            "    instance.get_runs(limit=1), instance.event_log_storage, instance.all_instigator_state()\n"
        )
        child = self._child("storage", [sys.executable, "-c", code])
        if child.process.wait(READY_SECONDS) != 0:
            raise ServiceDown(child.why_ended())
        self._children.remove(child)

    def _workspace(self, code_port: int) -> Path:
        """The workspace for webserver and daemon: the code of workspace.yaml, behind one code server."""
        path = self._run / "workspace.yaml"
        server = {"host": self.settings.host, "port": code_port, "location_name": LOCATION}
        path.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
        return path

    def _code_server(self, port: int) -> list[str]:
        (entry,) = yaml.safe_load((PROJECT / "workspace.yaml").read_text())["load_from"]
        module = entry["python_module"]["module_name"]
        argv = [_script("dagster"), "api", "grpc", "-m", module, "-d", str(PROJECT), "-h", self.settings.host]
        return [*argv, "-p", str(port), "--location-name", LOCATION]

    def _child(self, name: str, argv: list[str], **how: Any) -> Child:
        child = start(
            name, argv, environment=self.settings.environment(), logs=self._logs, cwd=self.settings.home, **how
        )
        self._children.append(child)
        return child

    def _write_addresses(self) -> None:
        addresses = {
            "pid": os.getpid(),
            "redisUrl": self.settings.redis_url,
            "web": self.web,
            "delivery": self.delivery,
            "children": {child.name: child.process.pid for child in self._children},
        }
        beside = self._run / "stack.json.new"
        beside.touch(mode=0o600)  # a password may be in the address
        beside.write_text(json.dumps(addresses, indent=1) + "\n")
        beside.replace(self._run / "stack.json")

    def check(self) -> None:
        """Raises `ServiceDown` with the last words of a part that has ended."""
        for child in self._children:
            if not child.alive:
                raise ServiceDown(child.why_ended())

    def stop(self) -> None:
        """Ends every part, those that use others first. A running encode is interrupted; the next start goes on."""
        # A second Ctrl-C must not leave half of them.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in STOPPING}
        # All others use the queue to the end.
        stop([child for child in self._children if child.name != QUEUE])
        stop([child for child in self._children if child.name == QUEUE])
        self._children.clear()
        if self._lock is not None:
            (self._run / "stack.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None
        for number, handler in before.items():
            signal.signal(number, handler)

    def table(self) -> str:
        """Where everything is, for people."""
        rows = {
            "Dagster UI": self.web,
            "delivery": f"{self.delivery}/watch/<video id>",
            "queue": f"{url(self.settings)}  (BullMQ queue {self.settings.queue!r})",
            "slots": str(self.settings.worker_slots),
            "home": str(self.settings.home),
            "logs": str(self._logs),
        }
        return "\n".join(f"  {name:12}{value}" for name, value in rows.items())


def running(settings: Settings) -> Settings:
    """The settings with the queue's address of the stack that runs on this home, if none is set."""
    if settings.redis_url is not None:
        return settings
    try:
        addresses = json.loads((settings.home / "run" / "stack.json").read_text())
    except (OSError, ValueError):
        raise ServiceDown(
            f"no stack runs on {settings.home}: start `video-pipeline up`, or set VIDEO_PIPELINE_REDIS_URL"
        ) from None
    return load_settings(home=settings.home, redis_url=addresses["redisUrl"])


def _script(name: str) -> str:
    """A console script of this environment."""
    return str(Path(sys.executable).parent / name)
