"""`video-pipeline up` as a program: busy ports, a part that dies, and how it ends."""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from video_pipeline_tests.e2e.conftest import addresses
from video_pipeline_tests.processes import command, encoders, environment, processes, run, started, wait_for

pytestmark = pytest.mark.e2e


def gone(home: Path) -> bool:
    return not processes(home)


def foreign(temporary: Path) -> list[Path]:
    """What lies in the system's temporary directory besides the file by which stacks share out the ports."""
    return [path for path in temporary.iterdir() if not path.name.startswith("video-pipeline-ports-")]


def open_port() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_is_left_while_a_video_is_encoded(number: signal.Signals, tmp_path: Path, clip: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    temporary.mkdir()
    with started(home, "up", TMPDIR=str(temporary)) as process:
        addresses(home, process)
        assert run(home, "submit", clip, "--preset", "premium", "--video-id", "cut-off").returncode == 0
        wait_for(lambda: encoders(processes(home)), 60)
        process.send_signal(number)
        process.wait(30)
        wait_for(lambda: gone(home), 10)
    if number != signal.SIGKILL:
        assert process.returncode == 0
        assert list((home / "scratch").iterdir()) == []
        assert not (home / "run" / "stack.json").exists()
    assert foreign(temporary) == []
    # The next start sweeps up, and the video is finished: nothing was lost.
    with started(home, "up", TMPDIR=str(temporary)) as process:
        addresses(home, process)
        wait_for(lambda: (home / "store" / "videos" / "cut-off" / "current.json").exists(), 90)
        process.terminate()
        assert process.wait(30) == 0
    assert [*(home / "scratch").iterdir(), *(home / "tmp").iterdir(), *foreign(temporary)] == []
    assert gone(home)


def test_busy_ports_are_no_error(tmp_path: Path) -> None:
    home = tmp_path / "home"
    names = ("WEB", "CODE", "REDIS", "DELIVERY")
    listeners = [open_port() for _ in names]
    busy = {f"VIDEO_PIPELINE_{name}_PORT": str(s.getsockname()[1]) for name, s in zip(names, listeners, strict=True)}
    try:
        with started(home, "up", **busy) as process:
            found = addresses(home, process)
            process.terminate()
            out, _ = process.communicate(timeout=30)
    finally:
        for listener in listeners:
            listener.close()
    for port in busy.values():
        assert f"port {port} is busy" in out
        assert f":{port}" not in json.dumps(found)


def test_a_part_that_dies_is_named_and_everything_stops(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started(home, "up") as process:
        found = addresses(home, process)
        second = run(home, "up")
        assert second.returncode == 1
        assert str(home) in second.stderr
        # The one that runs is not cut off by it.
        assert run(home, "status").returncode == 0
        os.kill(found["children"]["worker"], signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        wait_for(lambda: gone(home), 10)
    assert process.returncode == 1
    assert "worker was killed by SIGKILL" in err
    assert "worker.log" in err


def test_a_part_that_cannot_start_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text(
        "#!/bin/sh\n[ $1 = --version ] && echo 'Redis server v=7.2.0' && exit\necho no good >&2; exit 3\n"
    )
    broken.chmod(0o755)
    home = tmp_path / "home"
    done = run(home, "up", VIDEO_PIPELINE_REDIS_SERVER=str(broken))
    assert done.returncode == 1
    assert "queue ended with status 3" in done.stderr
    assert "no good" in done.stderr
    assert gone(home)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("DEFAULT_PRESET", "ultra", "preset 'ultra' is unknown; there are 1080p, "),
        ("PRESETS_DIR", "/nowhere", "/nowhere is no directory"),
        ("QUEUE", "a:b", "String should match pattern"),
        ("MIN_FREE_GB", "inf", "Input should be a finite number"),
    ],
)
def test_a_setting_that_would_fail_every_job_is_refused(tmp_path: Path, setting: str, value: str, said: str) -> None:
    done = run(tmp_path / "home", "up", **{f"VIDEO_PIPELINE_{setting}": value})
    assert done.returncode == 2
    assert f"setting VIDEO_PIPELINE_{setting}: {said}" in done.stderr
    assert gone(tmp_path / "home")


def test_two_stacks_started_at_once_do_not_meet(tmp_path: Path, clip: Path) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    with started(homes[0], "up") as first, started(homes[1], "up") as second:
        found = [addresses(home, process) for home, process in zip(homes, (first, second), strict=True)]
        for key in ("web", "redisUrl", "delivery"):
            assert found[0][key] != found[1][key]
        done = run(homes[0], "submit", clip, "--preset", "draft", "--video-id", "mine", "--wait")
        assert done.returncode == 0, done.stderr
        assert not (homes[1] / "store" / "videos").exists()
    for home in homes:
        wait_for(functools.partial(gone, home), 10)


def test_a_worker_by_itself_takes_runs(tmp_path: Path, make_clip: Callable[..., Path]) -> None:
    """Beside `up`, whose queue it finds; one that is given the queue's address is in every test of `apart`."""
    home, clip = tmp_path / "home", make_clip("long.mp4", seconds=30, size="960x540")
    with started(home, "up", VIDEO_PIPELINE_WORKER_SLOTS="1") as process:
        addresses(home, process)
        settings = {"VIDEO_PIPELINE_WORKER_SLOTS": "1"}
        worker = subprocess.Popen(command("worker"), env=environment(home, **settings), stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: len(json.loads(run(home, "status", "--json").stdout)["workers"]) == 2)
            for number in (1, 2):
                assert run(home, "submit", clip, "--preset", "draft", "--video-id", f"v{number}").returncode == 0
            wait_for(lambda: encoders(psutil.Process(worker.pid).children(recursive=True)))
            wait_for(lambda: all((home / "store/videos" / v / "current.json").exists() for v in ("v1", "v2")), 120)
        finally:
            worker.terminate()
            worker.wait(60)
        process.terminate()
        assert process.wait(30) == 0


def test_commands_without_a_stack_say_what_to_do(tmp_path: Path, clip: Path) -> None:
    for arguments in (("submit", str(clip)), ("status",), ("cancel", "x")):
        done = run(tmp_path / "home", *arguments)
        assert done.returncode == 1
        assert "video-pipeline up" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    done = run(tmp_path / "home", "status", VIDEO_PIPELINE_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert "redis://127.0.0.1:1/0" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_demo_shows_stages_release_and_addresses(tmp_path: Path, clip: Path) -> None:
    home = tmp_path / "home"
    done = run(home, "demo", "--exit", clip, VIDEO_PIPELINE_DEFAULT_PRESET="draft")
    assert done.returncode == 0, done.stderr
    for expected in (
        "renditions/h264",
        "quality_report",
        "release.json",
        "hls/",
        "/watch/clip",
        "partition=clip",
        "ffplay",
    ):
        assert expected in done.stdout
    assert gone(home)


def test_the_demo_of_no_video_fails_with_the_reason(tmp_path: Path) -> None:
    text = tmp_path / "words.mp4"
    text.write_text("words\n" * 50)
    home = tmp_path / "home"
    done = run(home, "demo", "--exit", text)
    assert done.returncode == 2
    assert "words.mp4" in done.stderr
    assert gone(home)
