"""What cannot be processed ends with one line that says why, an exit code, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from video_pipeline.media.tools import Tools
from video_pipeline.stores import leases
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.processes import encoders, files_below, processes, run, started, wait_for
from video_pipeline_tests.stores.drafts import assert_whole
from video_pipeline_tests.stores.test_budget import blob, made

Mount = Callable[[int], Path]


@pytest.fixture(scope="module")
def small(make_clip: Callable[..., Path]) -> Path:
    return make_clip(seconds=2, size="320x240", cuts=False)


@pytest.fixture(scope="module")
def large(make_clip: Callable[..., Path]) -> Path:
    """Its encoding takes seconds: time enough to be disturbed, and more bytes than a small disk has."""
    return make_clip("large.mp4", seconds=20, size="1280x720", cuts=False)


@pytest.fixture(scope="module")
def long(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 s: four chunks."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    pictures = "testsrc2=size=320x180:rate=25:duration=48,noise=alls=30:allf=t"
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-f", "lavfi", "-i", pictures]
    argv += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "35", str(path)]
    subprocess.run(argv, check=True, timeout=120)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a file system of so many bytes."""
    mounted = []

    def mount(size: int) -> Path:
        place = tmp_path / "disk"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"needs root that may mount: {done.stderr.strip()}")
        mounted.append(place)
        return place

    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    yield mount
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


def assert_nothing_left(home: Path) -> None:
    """Nothing published, nothing temporary, nothing running."""
    assert files_below(home / "store" / "videos", home / "store" / ".tmp", home / "scratch") == []
    assert processes(home) == []


def refused(home: Path, source: str | Path, *options: str, code: int = 2, **extra: str) -> str:
    """The one line on standard error of a command that must fail."""
    done = run(home, "process", source, "--preset", "draft", "--json", *options, **extra)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    [line] = done.stderr.splitlines()
    assert_nothing_left(home)
    return line


def test_missing_file(home: Path, tmp_path: Path) -> None:
    line = refused(home, tmp_path / "none.mp4")
    assert line == f"video-pipeline: source {tmp_path}/none.mp4: no such file"
    assert not home.exists()


def test_directory(home: Path, tmp_path: Path) -> None:
    line = refused(home, tmp_path)
    assert line == f"video-pipeline: source {tmp_path}: is a directory; give one file"


def test_empty_file(home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    line = refused(home, tmp_path / "empty.mp4")
    assert line == f"video-pipeline: source {tmp_path}/empty.mp4: the file is empty (0 bytes)"


def test_pipe(home: Path, tmp_path: Path) -> None:
    """Nobody writes to it: who opens it waits for ever."""
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "pipe.mp4: is a pipe or a device; give one file" in refused(home, tmp_path / "pipe.mp4")


def test_text_with_the_name_of_a_video(home: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("Not a video at all.\n" * 500)
    line = refused(home, tmp_path / "text.mp4")
    assert line == "video-pipeline: text.mp4: it is a text, not a video"


def test_cut_off_before_its_index(home: Path, tmp_path: Path, small: Path) -> None:
    data = small.read_bytes()
    assert data.rindex(b"moov") > len(data) // 2, "the clip must have its index at the end"
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    line = refused(home, tmp_path / "cut.mp4")
    assert line.startswith("video-pipeline: cut.mp4: its index (moov atom) is missing")
    assert "cut off" in line


def test_sound_without_pictures(home: Path, tmp_path: Path, tools: Tools) -> None:
    path = tmp_path / "song.m4a"
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=440:duration=1", str(path)]
    subprocess.run(argv, check=True, timeout=60)
    assert refused(home, path) == "video-pipeline: song.m4a: there is no video in it (it holds audio)"


def test_unknown_preset(home: Path, small: Path) -> None:
    line = refused(home, small, "--preset", "best")
    assert line.startswith("video-pipeline: preset 'best' is unknown; there are 1080p, ")
    assert "draft" in line
    assert not home.exists()


def test_id_that_breaks_the_rule(home: Path, small: Path) -> None:
    line = refused(home, small, "--video-id", "My Video")
    assert line.startswith("video-pipeline: videoId 'My Video': use 1 to 63 of a-z, 0-9 and '-'")
    assert not home.exists()


def test_home_that_cannot_be_made(tmp_path: Path, small: Path) -> None:
    (tmp_path / "file").touch()
    line = refused(tmp_path / "file" / "home", small, code=1)
    assert line.startswith(f"video-pipeline: the state directory {tmp_path}/file/home cannot be used")
    assert "set VIDEO_PIPELINE_HOME" in line


def test_no_ffmpeg(home: Path, small: Path) -> None:
    line = refused(home, small, code=1, VIDEO_PIPELINE_FFMPEG="/nonexistent")
    assert line == "video-pipeline: ffmpeg: there is no program at /nonexistent; set VIDEO_PIPELINE_FFMPEG to one"
    assert not home.exists()


def test_ffmpeg_without_an_encoder_of_the_preset(home: Path, tmp_path: Path, small: Path, tools: Tools) -> None:
    fake = tmp_path / "ffmpeg"
    hide = f'case "$*" in *-encoders*) {tools.ffmpeg} "$@" | grep -v libx265; exit;; esac'
    fake.write_text(f'#!/bin/bash\n{hide}\nexec {tools.ffmpeg} "$@"\n')
    fake.chmod(0o755)
    line = refused(home, small, "--preset", "web+", code=1, VIDEO_PIPELINE_FFMPEG=str(fake))
    assert line == (
        f"video-pipeline: preset web+: the ffmpeg at {fake} is built without libx265, which hevc is encoded by; set "
        "VIDEO_PIPELINE_FFMPEG to one that has it, or take a preset without this family"
    )
    assert files_below(home / "store" / "checkpoints" / "rendition", home / "store" / "checkpoints" / "chunk") == []


def test_card_that_the_preset_requires(home: Path, tmp_path: Path, small: Path) -> None:
    (tmp_path / "card.yaml").write_text("extends: draft\nh264: {encoder: h264_vaapi}\n")
    places = {"VIDEO_PIPELINE_PRESETS_DIR": str(tmp_path), "VIDEO_PIPELINE_VAAPI_DEVICE": "/nonexistent/card"}
    line = refused(home, small, "--preset", "card", code=1, **places)
    assert line.startswith(
        "video-pipeline: preset card: h264_vaapi of h264 cannot be used here: No VA display found for "
    )
    assert "device /nonexistent/card; it needs an Intel or AMD card" in line
    assert "set `hardware: prefer` in the preset, to take libx264 where there is none" in line


def test_disk_that_is_full_while_encoding(small_disk: Mount, large: Path) -> None:
    """It holds the source and Dagster's files, but not what is made of them."""
    home = small_disk(large.stat().st_size + 8 * 2**20)
    line = refused(home, large, code=1)
    store = home / "store"
    assert large.stat().st_size in [path.stat().st_size for path in files_below(store / "blobs")]
    assert files_below(store / "checkpoints" / "rendition") == []
    assert "no space left on device" in line
    assert "free some" in line
    assert str(home) in line


def test_what_was_finished_before_a_disk_was_full_is_kept(small_disk: Mount, long: Path, tmp_path: Path) -> None:
    """Another program fills it, to the last byte, when the first chunk is done."""
    disk = small_disk(200 * 2**20)
    home, ballast = disk / "home", disk / "ballast"
    old = LocalStore(home / "store")
    for key in "abcd":
        made(old, key, blob(old, key, 2**20))
    leases.end(old.root)
    command = ("process", long, "--preset", "draft", "--video-id", "long", "--json")
    with started(home, *command, VIDEO_PIPELINE_ENCODERS="1") as process:
        chunks = home / "store" / "checkpoints" / "chunk"
        wait_for(lambda: files_below(chunks))
        fill(ballast)
        out, log = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "no space left on device" in log.splitlines()[-1]
    assert "free some" in log.splitlines()[-1]
    assert "Traceback" not in log
    assert_nothing_left(home)
    kept = len(files_below(chunks))
    assert kept in (1, 2, 3), "of four"
    assert len(files_below(old.root / "checkpoints" / "streams")) == 2, "half of what nobody uses made room"
    ballast.unlink()
    done = run(home, *command)
    assert done.returncode == 0, done.stderr
    assert encoded_and_kept(home) == [4 - kept, kept]
    assert files_below(chunks, home / "store" / ".tmp", home / "scratch") == []
    assert_whole(home / "store", "long")


def fill(path: Path) -> None:
    """Until the disk has not a byte left."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass


def encoded_and_kept(home: Path) -> list[int]:
    """How many chunks the newest run encoded, and how many it took from before. In a process that ends, since Dagster
    keeps its files open."""
    code = (
        "import sys, dagster as dg\n"
        "with dg.DagsterInstance.from_config(sys.argv[1]) as instance:\n"
        "    event = instance.get_latest_materialization_event(dg.AssetKey(['renditions', 'h264']))\n"
        "told = event.asset_materialization.metadata\n"
        "print(told['chunks_encoded'].value, told['chunks_from_checkpoints'].value)"
    )
    argv = [sys.executable, "-c", code, str(home / "dagster")]
    printed = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return [int(number) for number in printed.split()]


def test_disk_that_is_full_before_the_first_step(small_disk: Mount, small: Path) -> None:
    """Our index fits, Dagster's storage does not."""
    home = small_disk(450_000)
    line = refused(home, small, code=1)
    assert (home / "index.db").stat().st_size > 0
    assert line.startswith("video-pipeline: ")
    assert f"{home}/dagster" in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_encoding(home: Path, large: Path, number: signal.Signals) -> None:
    with started(home, "process", large, "--preset", "premium", "--json") as process:
        wait_for(lambda: encoders(processes(home)))
        assert files_below(home / "scratch")
        # A terminal sends Ctrl-C to the whole group, so every child that shares it gets it too.
        os.killpg(process.pid, number)
        out, log = process.communicate(timeout=60)
        assert (process.returncode, out) == (130, ""), log
        assert log.splitlines() == ["video-pipeline: renditions/h264: interrupted"]
        assert_nothing_left(home)


def test_killed_while_encoding(home: Path, large: Path, small: Path) -> None:
    """Nothing of ours can run then: the kernel ends the children, and the next run clears up."""
    with started(home, "process", large, "--preset", "premium", "--json") as process:
        wait_for(lambda: encoders(processes(home)))
        process.kill()
        process.wait()
        wait_for(lambda: not processes(home), seconds=10)
    assert files_below(home / "scratch")
    done = run(home, "process", small, "--preset", "draft", "--json")
    assert done.returncode == 0, done.stderr
    assert files_below(home / "scratch", home / "store" / ".tmp") == []
    assert list((home / "scratch").iterdir()) == []
