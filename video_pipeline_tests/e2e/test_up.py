"""`video-pipeline up` as a program: busy ports, a part that dies, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path

import pytest

from video_pipeline_tests.e2e.conftest import addresses
from video_pipeline_tests.processes import processes, run, started, wait_for

pytestmark = pytest.mark.e2e


def gone(home: Path) -> bool:
    return not processes(home)


def open_port() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_is_left_while_a_video_is_encoded(number: signal.Signals, tmp_path: Path, clip: Path) -> None:
    home = tmp_path / "home"
    with started(home, "up") as process:
        addresses(home, process)
        assert run(home, "submit", clip, "--preset", "premium", "--video-id", "cut-off").returncode == 0
        wait_for(lambda: [p for p in processes(home) if "libx264" in p.cmdline()], 60)
        process.send_signal(number)
        process.wait(30)
        wait_for(lambda: gone(home), 10)
    if number != signal.SIGKILL:
        assert process.returncode == 0
        assert list((home / "scratch").iterdir()) == []
        assert not (home / "run" / "stack.json").exists()
    # The next start sweeps up, and the video is finished: nothing was lost.
    with started(home, "up") as process:
        addresses(home, process)
        wait_for(lambda: (home / "store" / "videos" / "cut-off" / "current.json").exists(), 90)
        process.terminate()
        assert process.wait(30) == 0
    assert list((home / "scratch").iterdir()) == []
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
