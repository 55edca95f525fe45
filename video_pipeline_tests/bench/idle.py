"""What the whole stack costs while nothing happens, beside Dagster alone with nothing defined in it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import psutil

from video_pipeline import settings
from video_pipeline.services import health
from video_pipeline.services.children import Child, start, stop, wait_until
from video_pipeline.services.ports import free_port, listens
from video_pipeline.services.stack import Stack

SETTLE_SECONDS = 20
"""Start-up work and the first looks at everything are not idle."""
NOTHING = "import dagster as dg\ndefs = dg.Definitions()\n"


@dataclass
class Usage:
    """Of one process."""

    name: str
    percent: float
    """CPU, of one core."""
    megabytes: float
    """Resident."""


@click.command()
@click.option("--seconds", default=60, show_default=True)
def main(seconds: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        with dagster_alone(Path(directory) / "alone") as roots:
            alone = measure(roots, seconds)
        with ours(Path(directory) / "ours") as roots:
            stack = measure(roots, seconds)
    print(f"idle for {seconds} s, after {SETTLE_SECONDS} s to settle; CPU in % of one core, resident memory in MB")
    show("Dagster alone: webserver, daemon, a code server with nothing in it", alone)
    show("the stack of `up`", stack)
    beyond = sum(usage.percent for usage in stack) - sum(usage.percent for usage in alone)
    print(f"beyond Dagster's own: {beyond:.2f} % CPU (target: at most 5)")


def show(title: str, usages: list[Usage]) -> None:
    print(title)
    for usage in usages:
        print(f"    {usage.name:18} {usage.percent:6.2f} % {usage.megabytes:7.0f} MB")
    total, memory = sum(usage.percent for usage in usages), sum(usage.megabytes for usage in usages)
    print(f"    {f'{len(usages)} processes':18} {total:6.2f} % {memory:7.0f} MB")


def measure(roots: dict[str, int], seconds: float) -> list[Usage]:
    """CPU and memory of each process, and of each that it started."""
    time.sleep(SETTLE_SECONDS)
    found: list[tuple[str, psutil.Process]] = []
    for name, pid in roots.items():
        root = psutil.Process(pid)
        found += [(name, root), *((f"{name}'s child", child) for child in root.children(recursive=True))]
    before = [_cpu(process) for _, process in found]
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    return [
        Usage(name, 100 * (_cpu(process) - used) / passed, process.memory_info().rss / 1e6)
        for (name, process), used in zip(found, before, strict=True)
    ]


def _cpu(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))


@contextlib.contextmanager
def ours(home: Path) -> Iterator[dict[str, int]]:
    stack = Stack(settings.load(home=home), lambda _: None)
    stack.start()
    try:
        yield json.loads((home / "run" / "stack.json").read_text())["children"]
    finally:
        stack.stop()


@contextlib.contextmanager
def dagster_alone(home: Path) -> Iterator[dict[str, int]]:
    """Its three processes as its documentation starts them, with an empty project and its own defaults."""
    home.mkdir()
    (home / "nothing.py").write_text(NOTHING)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    code_port, web_port = free_port("127.0.0.1", 17_266, set()), free_port("127.0.0.1", 17_000, set())
    server = f"{{host: 127.0.0.1, port: {code_port}, location_name: nothing}}"
    (home / "workspace.yaml").write_text(f"load_from: [{{grpc_server: {server}}}]\n")
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    scripts = Path(sys.executable).parent
    once = "from dagster import DagsterInstance\nDagsterInstance.get().get_runs(limit=1)\n"
    subprocess.run([sys.executable, "-c", once], env=environment, check=True)
    parts: list[Child] = []

    def part(name: str, *argv: str) -> Child:
        parts.append(start(name, argv, environment=environment, logs=home, cwd=home))
        return parts[-1]

    try:
        where = ("-h", "127.0.0.1", "-p", str(code_port), "--location-name", "nothing")
        code = part("code-server", str(scripts / "dagster"), "api", "grpc", "-m", "nothing", "-d", str(home), *where)
        wait_until(code, lambda: listens("127.0.0.1", code_port), 60)
        workspace = ("-w", str(home / "workspace.yaml"))
        web = part("webserver", str(scripts / "dagster-webserver"), *workspace, "-h", "127.0.0.1", "-p", str(web_port))
        began = time.time()
        daemon = part("daemon", str(scripts / "dagster-daemon"), "run", *workspace)
        wait_until(web, lambda: health.loaded(f"http://127.0.0.1:{web_port}"), 60)
        wait_until(daemon, lambda: health.daemons_healthy(f"http://127.0.0.1:{web_port}", began), 60)
        yield {child.name: child.process.pid for child in parts}
    finally:
        stop(parts)


if __name__ == "__main__":
    main()
