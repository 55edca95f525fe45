"""The whole stack of one machine: queue server, code server, worker, daemon and webserver."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from video_pipeline.connection import client, url
from video_pipeline.connection.waiting import wait_for_redis
from video_pipeline.errors import ServiceDown
from video_pipeline.execution.broker import broker
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.slots import workers
from video_pipeline.home import prepare
from video_pipeline.services import lock, parts
from video_pipeline.services import redis as redis_server
from video_pipeline.services.children import Child, finish, start, stop, wait_until
from video_pipeline.services.health import daemons_healthy, loaded
from video_pipeline.services.ports import choosing_ports, free_port, listens
from video_pipeline.services.signals import STOPPING
from video_pipeline.settings import Settings
from video_pipeline.settings import load as load_settings
from video_pipeline.stores.scratch import sweep

READY_SECONDS = 90.0
QUEUE, WORKER, DAEMON = "queue", "worker", "daemon"


class Stack:
    """Start it, watch it with `check`, stop it; nothing is left behind.

    Attributes:
        settings: those the children have, with the addresses that were found free.
        web: address of the Dagster UI.
        delivery: address of the published files.
        version: of the code the worker has loaded.
        asked: set it to have every part replaced; see rolling.py.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self.settings, self.say = settings, say
        self.children: list[Child] = []
        self.leaving: list[Child] = []
        self._lock: int | None = None
        self.web = self.delivery = self.version = ""
        self._code_port = self._web_port = 0
        self.asked = threading.Event()

    # --- what is in the home directory

    @property
    def run(self) -> Path:
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
        for directory in (self.run, self._logs, self.settings.home / "redis"):
            directory.mkdir(exist_ok=True)
        self._lock = lock.take(self.run)
        self.settings.scratch.mkdir(parents=True, exist_ok=True)
        sweep(self.settings.scratch)
        if self.settings.redis_url is not None:
            broker(self.settings)  # refuses what Celery cannot use
            wait_for_redis(self.settings, self.settings.redis_wait_seconds, self.say)
        with choosing_ports():
            self._start_parts()
        self.check()
        self.write_addresses()

    def _start_parts(self) -> None:
        taken: set[int] = set()
        if self.settings.redis_url is None:
            self._start_redis(self._port("queue", self.settings.redis_port, taken))
        self._code_port = self._port("code server", self.settings.code_port, taken)
        self._web_port = self._port("Dagster UI", self.settings.web_port, taken)
        self.settings = self._with(delivery_port=self._port("delivery", self.settings.delivery_port, taken))
        self.web = f"http://{self.settings.host}:{self._web_port}"
        self.delivery = f"http://{self.settings.host}:{self.settings.delivery_port}"
        if self.settings.delivery_url is None:
            self.settings = self._with(delivery_url=self.delivery)
        self.run_once("storage", parts.storage())
        worker = self.begin_worker()
        self.start_front()
        self.wait_for_worker(worker)

    def begin_worker(self) -> Child:
        return self._child(WORKER, parts.worker(), stop_signal=signal.SIGQUIT, patience=8.0)

    def wait_for_worker(self, child: Child) -> None:
        name = redis_name(child)

        def announced() -> bool:
            self.version = next((worker.code for worker in workers(self.settings) if worker.name == name), "")
            return bool(self.version)

        wait_until(child, announced, READY_SECONDS)

    def start_front(self) -> None:
        """Starts all but queue and worker, on the addresses chosen, and waits until each does its work."""
        code = self._child("code-server", parts.code_server(self.settings, self._code_port))
        delivery = self._child("delivery", parts.delivery())
        workspace = parts.write_workspace(self.run / "workspace.yaml", self.settings, self._code_port)
        # A daemon that meets no code server waits for ten seconds.
        wait_until(code, lambda: listens(self.settings.host, self._code_port), READY_SECONDS)
        since = time.time()
        web = self._child("webserver", parts.webserver(self.settings, workspace, self._web_port))
        daemon = self._child(DAEMON, parts.daemon(workspace))
        wait_until(web, lambda: loaded(self.web), READY_SECONDS)
        wait_until(daemon, lambda: daemons_healthy(self.web, since), READY_SECONDS)
        wait_until(delivery, lambda: listens(self.settings.host, self.settings.delivery_port), READY_SECONDS)

    def _port(self, name: str, wanted: int, taken: set[int]) -> int:
        port = free_port(self.settings.host, wanted, taken)
        if port != wanted:
            self.say(f"port {wanted} is busy, the {name} takes {port}")
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

    def run_once(self, name: str, argv: list[str]) -> str:
        """The last line that a program prints. Raises `ServiceDown` with its last words if it fails."""
        child = self._child(name, argv)
        try:
            return finish(child, READY_SECONDS)
        finally:
            self.end([child])

    def _child(self, name: str, argv: list[str], **how: Any) -> Child:
        # What a part wrote before it was replaced is kept.
        keep = self.version != ""
        environment = self.settings.environment()
        child = start(
            name, argv, environment=environment, logs=self._logs, cwd=self.settings.home, keep_log=keep, **how
        )
        self.children.append(child)
        return child

    def end(self, children: list[Child], patience: float | None = None) -> None:
        stop(children, patience)
        self.children = [child for child in self.children if child not in children]

    def write_addresses(self) -> None:
        addresses = {
            "pid": os.getpid(),
            "redisUrl": self.settings.redis_url,
            "web": self.web,
            "delivery": self.delivery,
            "version": self.version,
            "children": {child.name: child.process.pid for child in self.children},
            "leaving": [child.process.pid for child in self.leaving],
        }
        beside = self.run / "stack.json.new"
        beside.touch(mode=0o600)  # a password may be in the address
        beside.write_text(json.dumps(addresses, indent=1) + "\n")
        beside.replace(self.run / "stack.json")

    def check(self) -> None:
        """Raises `ServiceDown` with the last words of a part that has ended; a worker may, if it was told to."""
        for child in [child for child in self.children if not child.alive]:
            if child.name != WORKER or child.process.returncode != 0:
                raise ServiceDown(child.why_ended())
            self.say(f"worker {redis_name(child)} was told to end and has; `video-pipeline restart` starts a new one")
            self.end([child])
            self.write_addresses()
        for child in [child for child in self.leaving if not child.alive]:
            self.leaving.remove(child)
            stop([child])
            good = f"worker {redis_name(child)} has finished its runs and ended"
            self.say(good if child.process.returncode == 0 else f"{child.why_ended()}\nits runs come back")
            self.write_addresses()

    def stop(self) -> None:
        """Ends every part, those that use others first. A running encode is interrupted; the next start goes on."""
        # A second Ctrl-C must not leave half of them.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in STOPPING}
        # All others use the queue to the end.
        stop([*self.leaving, *(child for child in self.children if child.name != QUEUE)])
        stop([child for child in self.children if child.name == QUEUE])
        self.children.clear()
        self.leaving.clear()
        if self._lock is not None:
            (self.run / "stack.json").unlink(missing_ok=True)
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


def redis_name(child: Child) -> str:
    """What a process of this host calls itself in Redis: a worker in its announcement; a code server in its lease, with
    a colon and more behind it."""
    return f"{socket.gethostname()}:{child.process.pid}"
