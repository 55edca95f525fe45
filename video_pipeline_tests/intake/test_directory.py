"""What is seen in a directory, and when a file counts as complete."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from video_pipeline.errors import HomeError
from video_pipeline.intake.directory import Found, Seen, look, remembered, settled

AS_NOBODY = """
import json, os, sys
from pathlib import Path
from video_pipeline.intake.directory import look
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
found = look(Path("watched"))
print(json.dumps([[file.path for file in found.files], found.refused]))
"""
"""To root everything is permitted."""
NOW = 1_790_000_000.0


def names(directory: Path) -> list[str]:
    return [file.path for file in look(directory).files]


def test_files_that_may_be_complete(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    watched = tmp_path / "watched"
    for path in ("b.mp4", "a.mov", "draft/c.mp4", "x/y/d.mkv", "no-suffix"):
        (watched / path).parent.mkdir(parents=True, exist_ok=True)
        (watched / path).write_bytes(b"x")
    outside.mkdir()
    (outside / "secret.mp4").write_bytes(b"x")
    for path in (".hidden.mp4", "a.mp4.part", "b.TMP", "c.crdownload", "d.mp4~", "e.filepart", ".sync/f.mp4"):
        (watched / path).parent.mkdir(exist_ok=True)
        (watched / path).write_bytes(b"x")
    (watched / "link.mp4").symlink_to(outside / "secret.mp4")
    (watched / "linked").symlink_to(outside)
    (watched / "gone.mp4").symlink_to(watched / "nowhere")
    os.mkfifo(watched / "pipe.mp4")
    assert names(watched) == ["a.mov", "b.mp4", "no-suffix", "draft/c.mp4", "x/y/d.mkv"]
    assert look(watched).refused == []


def test_a_name_that_is_no_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"x")
    found = look(tmp_path)
    assert found.files == []
    assert found.refused == [r"b'caf\xe9.mp4' has a name that is not UTF-8; rename it"]


def test_a_directory_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match=r"the watched directory .*/none cannot be read: No such file"):
        look(tmp_path / "none")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(HomeError, match="Not a directory"):
        look(tmp_path / "file")


def test_what_is_not_permitted_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    for path in ("a.mp4", "listed/b.mp4", "listed/inside/c.mp4", "shut/d.mp4", "z/e.mp4"):
        (watched / path).parent.mkdir(parents=True, exist_ok=True)
        (watched / path).write_bytes(b"x")
    (watched / os.fsdecode(b"\xe9")).mkdir(mode=0)

    def looked() -> tuple[list[str], list[str]]:
        tmp_path.chmod(0o755)
        done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(tmp_path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        files, refused = json.loads(done.stdout)
        return files, refused

    (watched / "listed").chmod(0o444)
    (watched / "shut").chmod(0)
    listed = ["watched/listed/b.mp4 cannot be read", "watched/listed/inside cannot be read"]
    others = ["watched/shut cannot be read", r"b'watched/\xe9' cannot be read"]
    assert looked() == (["a.mp4", "z/e.mp4"], [f"{one}: Permission denied" for one in listed + others])
    watched.chmod(0o444)
    files, refused = looked()
    assert files == []
    assert refused[0] == "watched/a.mp4 cannot be read: Permission denied"
    watched.chmod(0o755)


def test_a_watched_directory_whose_name_is_no_utf_8(tmp_path: Path) -> None:
    directory = tmp_path / os.fsdecode(b"\xe9")
    directory.mkdir()
    with pytest.raises(HomeError, match=r"the watched directory b'.*\\xe9' has a name that is not UTF-8"):
        look(directory)


def test_complete_is_what_stays_as_it_is() -> None:
    file = Found("a.mp4", 10, int((NOW - 3600) * 1e9))
    ready, waiting = settled([file], {}, NOW, 10)
    assert (ready, waiting) == ([], {"a.mp4": Seen(file.version, NOW)}), "nobody has seen it before"
    ready, waiting = settled([file], waiting, NOW + 1, 10)
    assert (ready, waiting) == ([file], {}), "it is old, and did not change"


def test_a_file_that_grows_waits() -> None:
    waiting: dict[str, Seen] = {}
    for second in range(0, 60, 5):
        growing = Found("a.mp4", 10 + second, int((NOW + second) * 1e9))
        ready, waiting = settled([growing], waiting, NOW + second, 10)
        assert ready == []
    for second, complete in ((60, False), (64, False), (65, True)):
        ready, waiting = settled([growing], waiting, NOW + second, 10)
        assert bool(ready) is complete


def test_one_that_changes_between_two_looks_begins_anew() -> None:
    old = int((NOW - 3600) * 1e9)
    _, waiting = settled([Found("a.mp4", 10, old)], {}, NOW, 10)
    ready, waiting = settled([Found("a.mp4", 11, old)], waiting, NOW + 30, 10)
    assert ready == []
    assert waiting["a.mp4"].since == NOW + 30


def test_a_clock_that_is_ahead_is_no_reason_to_wait_for_ever() -> None:
    file = Found("a.mp4", 10, int((NOW + 1e6) * 1e9))
    _, waiting = settled([file], {}, NOW, 10)
    assert settled([file], waiting, NOW + 9, 10)[0] == []
    assert settled([file], waiting, NOW + 10, 10)[0] == [file]


def test_an_empty_file_waits_and_one_that_is_gone_is_forgotten() -> None:
    empty = Found("a.mp4", 0, int((NOW - 3600) * 1e9))
    _, waiting = settled([empty], {}, NOW, 0)
    ready, waiting = settled([empty], waiting, NOW + 100, 0)
    assert (ready, list(waiting)) == ([], ["a.mp4"])
    assert settled([], waiting, NOW + 101, 0) == ([], {})


def test_what_never_settles_is_remembered_last() -> None:
    empty = Found("empty.mp4", 0, int((NOW - 3600) * 1e9))
    growing = Found("growing.mp4", 9, int(NOW * 1e9))
    still = [Found(f"still-{age}.mp4", 9, int((NOW - age) * 1e9)) for age in (60, 120)]
    files = [empty, growing, *still]
    waiting = {file.path: Seen(file.version, NOW) for file in files}
    assert list(remembered(files, waiting, 2)) == ["still-120.mp4", "still-60.mp4"]
    assert list(remembered(files, waiting, 9)) == ["still-120.mp4", "still-60.mp4", "growing.mp4"]
    # One that has waited keeps its place, whoever comes.
    waiting["growing.mp4"] = Seen(growing.version, NOW - 5)
    assert remembered(files, waiting, 1) == {"growing.mp4": waiting["growing.mp4"]}
