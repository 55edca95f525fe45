"""What many tests share: the programs, small clips made on the spot, and the real clips if they are there."""

from __future__ import annotations

import shutil
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, sync_playwright

from video_pipeline import settings as settings_module
from video_pipeline.intake.bull import Bull
from video_pipeline.media import tools as tools_module
from video_pipeline.media.tools import Tools
from video_pipeline.settings import Settings
from video_pipeline_tests import topologies
from video_pipeline_tests.chromium import CHROMIUM
from video_pipeline_tests.topologies import Topology


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--model-examples", type=int, default=40, help="Runs of the reconciler's model, 40 steps each.")
    parser.addoption("--redis", choices=topologies.KINDS, default="plain", help="What the tests' Redis is.")


def pytest_configure() -> None:
    # A shell that starts the tests in the background has SIGINT ignored, and so would all their children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The same examples everywhere, and no clock: machines are noisy.
    hypothesis.settings.register_profile("project", deadline=None, derandomize=True, max_examples=300)
    hypothesis.settings.load_profile("project")


@pytest.fixture(scope="session")
def tools() -> Tools:
    return tools_module.find()


@pytest.fixture(scope="session")
def make_clip(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a clip with moving bars and a tone; every argument shapes it, the same arguments give the same file."""
    made: dict[tuple[object, ...], Path] = {}

    def make(
        name: str = "clip.mp4",
        *,
        seconds: float = 4,
        size: str = "320x180",
        rate: str = "25",
        audio: bool = True,
        cuts: bool = True,
    ) -> Path:
        key = (name, seconds, size, rate, audio, cuts)
        if key not in made:
            path = tmp_path_factory.mktemp("clip") / name
            half = seconds / 2 if cuts else seconds
            video = [f"testsrc2=size={size}:rate={rate}:duration={half}"]
            if cuts:
                video.append(f"mandelbrot=size={size}:rate={rate},trim=duration={half}")
            graph = ";".join(f"{source},setsar=1,format=yuv420p[v{n}]" for n, source in enumerate(video))
            graph += ";" + "".join(f"[v{n}]" for n in range(len(video))) + f"concat=n={len(video)}[v]"
            argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-f", "lavfi", "-i", f"sine=440:duration={seconds}"]
            argv += ["-filter_complex", graph, "-map", "[v]"]
            argv += ["-map", "0:a", "-c:a", "aac"] if audio else []
            argv += ["-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", str(path)]
            subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=120)
            made[key] = path
        return made[key]

    return make


@pytest.fixture(scope="session")
def clip(make_clip: Callable[..., Path]) -> Path:
    """4 s of 320x180 at 25 frames/s with a cut at 2 s and a 440 Hz tone."""
    return make_clip()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server for all tests that need no whole stack."""
    with topologies.running("plain", tmp_path_factory.mktemp("redis")) as found:
        yield found.url


@pytest.fixture(scope="session")
def topology(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """Redis of the kind that `--redis` names, or each kind in turn for tests that ask for it."""
    kind = getattr(request, "param", request.config.getoption("--redis"))
    with topologies.running(kind, tmp_path_factory.mktemp(kind)) as found:
        yield found


@pytest.fixture
def queue_settings(topology: Topology, tmp_path: Path) -> Settings:
    """Settings of an own queue and home on that server."""
    name = uuid.uuid4().hex[:8]
    home = tmp_path / "home"
    home.mkdir()
    own = {"queue": f"q-{name}", "key_prefix": f"{{k-{name}}}"}
    return settings_module.load(home=home, redis_url=topology.url, **topology.settings, **own)


@pytest.fixture
def queue(queue_settings: Settings) -> Iterator[Bull]:
    ours = Bull(queue_settings)
    yield ours
    ours.close()


@pytest.fixture(scope="session")
def media() -> Path:
    """The directory of real clips."""
    path = settings_module.load().media
    if not path.is_dir():
        pytest.skip(f"no real clips at {path}; set VIDEO_PIPELINE_MEDIA")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield browser
        browser.close()
