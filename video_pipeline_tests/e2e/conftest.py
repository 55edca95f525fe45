"""One running stack for all end-to-end tests, started as people start it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from video_pipeline import settings as settings_module
from video_pipeline.connection import client
from video_pipeline.settings import Settings
from video_pipeline_tests import topologies
from video_pipeline_tests.node.app import NodeApp, app
from video_pipeline_tests.processes import command, environment, run, started, wait_for
from video_pipeline_tests.topologies import Topology

if TYPE_CHECKING:
    from video_pipeline_tests.e2e.apart import Apart


@dataclass
class RunningStack:
    home: Path
    process: subprocess.Popen[str]
    addresses: dict[str, Any]
    """What it wrote to run/stack.json."""
    topology: Topology | None = None
    """Its Redis, if that is not the embedded one."""
    extra: dict[str, str] = field(default_factory=dict)
    """More of the environment for commands."""

    @property
    def settings(self) -> Settings:
        own = self.topology.settings if self.topology else {}
        return settings_module.load(home=self.home, redis_url=self.addresses["redisUrl"], **own)

    @property
    def variables(self) -> dict[str, str]:
        """What commands need."""
        return {**self.extra, **(self.topology.variables if self.topology else {})}

    @property
    def redis(self) -> Any:
        return client(self.settings)

    def command(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return run(self.home, *arguments, **self.variables)

    @contextmanager
    def following(self, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        """A command beside the test, such as `submit --wait`."""
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        pipes |= {"env": environment(self.home, **self.variables), "cwd": self.extra.get("PYTHONPATH")}
        with subprocess.Popen(command(*arguments), text=True, **pipes) as process:
            try:
                yield process
            finally:
                process.kill()

    def instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.from_config(str(self.settings.dagster_home))


def addresses(home: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    """Those of a stack that is up; it writes them last."""
    path = home / "run" / "stack.json"
    wait_for(lambda: path.exists() or process.poll() is not None, 90)
    assert process.poll() is None, process.communicate()
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@contextmanager
def up(home: Path, topology: Topology | None = None, /, **extra: str) -> Iterator[RunningStack]:
    """A stack for as long as the block, on the embedded server or on this one; on the same home again, it goes on
    where it was."""
    with started(home, "up", **extra, **(topology.variables if topology else {})) as process:
        yield RunningStack(home, process, addresses(home, process), topology, extra)


STACKS = {"stack", "operated", "apart"}
UNFINISHED = [status for status in dg.DagsterRunStatus if status.value not in ("SUCCESS", "FAILURE", "CANCELED")]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--redis`, only what runs on the kind of Redis that it names."""
    if config.getoption("--redis") != "plain":
        here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
        others = [item for item in here if not STACKS & set(getattr(item, "fixturenames", ()))]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@contextmanager
def topology_asked_for(config: pytest.Config, directory: Path) -> Iterator[Topology | None]:
    """For one stack alone, since their queues have the same name; None for the embedded server."""
    kind = config.getoption("--redis")
    if kind == "plain":
        yield None
        return
    directory.mkdir(parents=True, exist_ok=True)
    with topologies.running(kind, directory) as found:
        yield found


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """On the embedded server, unless `--redis` asks for another kind."""
    directory = tmp_path_factory.mktemp("stack")
    with (
        topology_asked_for(pytestconfig, directory / "redis") as topology,
        up(directory / "home", topology) as found,
    ):
        yield found


@pytest.fixture
def long_clip(make_clip: Callable[..., Path], tmp_path: Path) -> Path:
    """Takes some seconds to encode with preset premium. One for each test: what was encoded for one would be taken from
    its checkpoints for the next."""
    path = tmp_path / "long.mp4"
    own = str(tmp_path).encode()
    box = (8 + len(own)).to_bytes(4, "big") + b"free" + own
    path.write_bytes(make_clip("long.mp4", seconds=30, size="960x540").read_bytes() + box)
    return path


@pytest.fixture(scope="session")
def node(stack: RunningStack) -> Iterator[NodeApp]:
    """A web app beside the stack, with nothing but BullMQ."""
    with app(stack.settings) as found:
        yield found


@pytest.fixture
def instance(stack: RunningStack) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of the stack, as its UI reads it."""
    with stack.instance() as found:
        yield found


@pytest.fixture(scope="session")
def operated(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """A stack with two slots, and beside its home a directory of presets and one that is watched: `presets` and
    `watched`."""
    home = tmp_path_factory.mktemp("operated") / "home"
    for name in ("presets", "watched"):
        (home.parent / name).mkdir()
    extra = {
        "VIDEO_PIPELINE_PRESETS_DIR": str(home.parent / "presets"),
        "VIDEO_PIPELINE_WATCH_DIR": str(home.parent / "watched"),
        "VIDEO_PIPELINE_WATCH_SETTLE_SECONDS": "1",
        "VIDEO_PIPELINE_WORKER_SLOTS": "2",
    }
    with topology_asked_for(pytestconfig, home.parent / "redis") as topology, up(home, topology, **extra) as found:
        yield found


@pytest.fixture(scope="session")
def apart(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Apart]:
    """Another stack: two slots, a worker that may be killed, an ffmpeg that may be taken away."""
    from video_pipeline_tests.e2e import apart as module  # it needs what is above

    directory = tmp_path_factory.mktemp("apart")
    with (
        topology_asked_for(pytestconfig, directory / "redis") as topology,
        module.apart(directory / "home", topology) as found,
    ):
        yield found


@pytest.fixture(autouse=True)
def idle(request: pytest.FixtureRequest) -> None:
    """A test begins when nobody works: it would take what another left to be encoded for its own."""
    for name in sorted(STACKS & set(request.fixturenames)):
        stack: RunningStack = request.getfixturevalue(name)
        wait_for(lambda stack=stack: not works(stack), 240, every=0.1)  # type: ignore[misc]


def works(stack: RunningStack) -> bool:
    queue = f"{stack.settings.queue_prefix}:video-intake"
    jobs = stack.redis.llen(f"{queue}:active") + stack.redis.llen(f"{queue}:wait")
    if jobs or stack.redis.zcard(f"{queue}:prioritized"):
        return True
    with stack.instance() as instance:
        return instance.get_runs_count(dg.RunsFilter(statuses=UNFINISHED)) > 0
