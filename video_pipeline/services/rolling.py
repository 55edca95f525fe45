"""Rolling replacement: new code for every part of a running stack, while the encodes that run go on under the old."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from video_pipeline.connection import client
from video_pipeline.errors import ServiceDown
from video_pipeline.execution.keys import Keys
from video_pipeline.execution.slots import workers
from video_pipeline.services import lock, parts
from video_pipeline.services.children import Child
from video_pipeline.services.ports import choosing_ports
from video_pipeline.services.stack import DAEMON, QUEUE, WORKER, Stack, redis_name
from video_pipeline.settings import Settings

LOOK_SECONDS = 0.2
DAEMON_PATIENCE = 40.0
"""A daemon that is killed while it launches a run leaves one behind that never starts."""
_RELEASE = """
local owner = redis.call('HGET', KEYS[1], 'owner')
return owner and string.sub(owner, 1, #ARGV[1]) == ARGV[1] and redis.call('DEL', KEYS[1])
"""


def watch(stack: Stack) -> None:
    """Until a part ends, which is an error, or somebody interrupts; every part is replaced when that is asked for."""
    while True:
        if stack.asked.is_set():
            stack.asked.clear()
            replace(stack, _Record(stack))
        stack.check()
        time.sleep(LOOK_SECONDS)


def replace(stack: Stack, record: _Record) -> None:
    """Only when the new code has shown that it starts is anything of the old one ended.

    Raises:
        ServiceDown: a part did not come back; the stack must stop.
    """
    before = stack.version
    record.say("looks at the new code")
    try:
        version = stack.run_once("rehearsal", parts.rehearsal())
        old, new = _new_worker(stack, version)
    except ServiceDown as error:
        record.end(f"the new code does not start, so the old goes on: {error}", failed=True)
        return
    same = ", the same as before" if version == before else ""
    record.say(f"worker {redis_name(new)} is there with code {version}{same}")
    try:
        with choosing_ports():
            _stop_daemon(stack)
            _let_leave(stack, old, record)
            _stop_front(stack)
            stack.start_front()
    except ServiceDown as error:
        record.end(f"a part did not come back, so everything stops: {error}", failed=True)
        raise
    stack.write_addresses()
    if stack.run_once("version", parts.version()) != version:
        record.end("the code has changed again meanwhile; restart once more", failed=True)
        return
    record.end(f"code server, daemon, Dagster UI and delivery were started anew; every new run is made by {version}")


def _new_worker(stack: Stack, version: str) -> tuple[list[Child], Child]:
    """The workers there are, and one more."""
    before, code = [child for child in stack.children if child.name == WORKER], stack.version
    child = stack.begin_worker()
    try:
        stack.wait_for_worker(child)
        if stack.version != version:
            raise ServiceDown("the code changed while a worker was loading it; try again when it is all there")
    except ServiceDown:
        stack.version = code
        stack.end([child])
        raise
    return before, child


def _stop_daemon(stack: Stack) -> None:
    """From then on nothing is launched for the old workers."""
    stack.end([child for child in stack.children if child.name == DAEMON], DAEMON_PATIENCE)


def _let_leave(stack: Stack, old: list[Child], record: _Record) -> None:
    """They finish what they execute, however long it takes, and end."""
    busy: dict[str, int] = {}
    with contextlib.suppress(ServiceDown):  # it is only told
        busy = {worker.name: worker.busy for worker in workers(stack.settings)}
    for child in old:
        if not child.alive:
            continue
        stack.children.remove(child)
        stack.leaving.append(child)
        child.process.send_signal(signal.SIGTERM)
        name = redis_name(child)
        runs = busy.get(name, "what it executes")
        record.say(f"worker {name} takes no new runs; it finishes {runs} with the old code, and ends")
    stack.write_addresses()


def _stop_front(stack: Stack) -> None:
    front = [child for child in stack.children if child.name not in (QUEUE, WORKER)]
    stack.end(front)
    # The code server reconciled; nobody has to wait until its lease runs out.
    with contextlib.suppress(redis.RedisError):
        for child in front:
            client(stack.settings).eval(_RELEASE, 1, Keys(stack.settings).lease, f"{redis_name(child)}:")


class _Record:
    """What happens, told where the stack runs, and in a file for whoever asked."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._number = stack, _read(stack.settings)["number"] + 1
        self._said: list[str] = []

    def say(self, text: str) -> None:
        self._tell(text, "running")

    def end(self, text: str, *, failed: bool = False) -> None:
        self._tell(text, "failed" if failed else "done")

    def _tell(self, text: str, state: str) -> None:
        self._stack.say(f"restart: {text}")
        self._said.append(text)
        path = _path(self._stack.settings)
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps({"number": self._number, "state": state, "said": self._said}))
        beside.replace(path)


def ask(settings: Settings, say: Callable[[str], None]) -> None:
    """Asks the stack of this home for a replacement, and tells what happens until it is done.

    Raises:
        ServiceDown: there is no stack, or the replacement failed; the message says how.
    """
    run = settings.home / "run"
    pid = lock.holder(run)
    if pid is None or not (run / "stack.json").exists():
        raise ServiceDown(f"no stack runs on {settings.home}: start `video-pipeline up`")
    last = _read(settings)["number"]
    os.kill(pid, signal.SIGHUP)
    told = 0
    while True:
        found = _read(settings)
        if found["number"] > last:
            ended = found["state"] != "running"
            failed = found["state"] == "failed"
            news = found["said"][told : -1 if failed else None]
            for line in news:
                say(line)
            told += len(news)
            if failed:
                raise ServiceDown(found["said"][-1])
            if ended:
                return
        if lock.holder(run) != pid:
            raise ServiceDown(f"the stack has ended meanwhile; see {settings.home / 'logs'}")
        time.sleep(LOOK_SECONDS)


def _read(settings: Settings) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(_path(settings).read_text())
        return found
    return {"number": 0, "state": "running", "said": []}


def _path(settings: Settings) -> Path:
    return settings.home / "run" / "restart.json"
