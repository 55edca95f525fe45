from __future__ import annotations

import errno
import os

import pytest

from video_pipeline import errors
from video_pipeline.cli import exit_code
from video_pipeline.errors import (
    Cancelled,
    CheckFailed,
    CommandFailed,
    DiskFull,
    HomeError,
    PipelineError,
    SourceError,
    TransientError,
    classify,
)


def os_error(number: int, name: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), name)


ALL = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, PipelineError)]


@pytest.mark.parametrize("error", [SourceError("x"), DiskFull("x", detail="y"), Cancelled("x")])
def test_one_of_ours_stays_itself(error: PipelineError) -> None:
    assert classify(error) is error


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_space(number: int) -> None:
    found = classify(os_error(number, "/data/blob"))
    assert type(found) is DiskFull
    assert str(found) == "no space left on device (/data/blob); free some and try again"
    assert str(classify(os_error(number))) == "no space left on device; free some and try again"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR])
def test_not_allowed_to_write(number: int) -> None:
    found = classify(os_error(number, "/data/blob"))
    assert type(found) is HomeError
    assert str(found) == f"not allowed to write (/data/blob): {os.strerror(number)}"


@pytest.mark.parametrize("error", [os_error(errno.EIO, "/data/blob"), ValueError("odd"), MemoryError()])
def test_anything_else_is_worth_another_attempt(error: Exception) -> None:
    found = classify(error)
    assert type(found) is TransientError
    assert str(found) == f"{type(error).__name__}: {error}"


def test_class_follows_from_the_tree() -> None:
    """What the queue does with an error depends on this alone."""
    expected = {
        "permanent": {"PermanentError", "SourceError", "RequestError", "CheckFailed"},
        "transient": {
            *("PipelineError", "TransientError", "ConflictError", "StalledError", "EntryError", "Interrupted"),
            "CommandFailed",
        },
        "dependency": {
            *("DependencyError", "ToolMissing", "DiskFull", "HomeError", "ObjectMissing", "KeysMissing", "ServiceDown"),
        },
        "cancelled": {"Cancelled"},
    }
    found: dict[str, set[str]] = {}
    for kind in ALL:
        found.setdefault(kind.error_class, set()).add(kind.__name__)
    assert found == expected
    assert len({kind.code for kind in ALL}) == len(ALL)


def test_exit_codes() -> None:
    """2 is for the caller to put right; a release that fails its checks is not."""
    codes: dict[int, set[str]] = {}
    for kind in ALL:
        error = kind("x", 1, "y") if kind is CommandFailed else kind("x")
        codes.setdefault(exit_code(error), set()).add(kind.__name__)
    assert codes[2] == {"PermanentError", "SourceError", "RequestError"}
    assert codes[130] == {"Cancelled"}
    assert CheckFailed.__name__ in codes[1]
    assert codes.keys() == {1, 2, 130}


def test_command_that_failed() -> None:
    error = CommandFailed("/usr/bin/ffmpeg -i 'a b.mp4' out.mp4", 187, "first line\nlast line\n")
    assert str(error) == "ffmpeg ended with status 187: last line"
    assert error.detail == "/usr/bin/ffmpeg -i 'a b.mp4' out.mp4\nfirst line\nlast line\n"
    assert (error.status, error.log) == (187, "first line\nlast line\n")
    assert str(CommandFailed("ffmpeg", 1, " \n")) == "ffmpeg ended with status 1: no message"


def test_command_that_was_killed() -> None:
    """What it said last has nothing to do with it."""
    assert str(CommandFailed("ffmpeg", -15, "a warning\n")) == "ffmpeg was killed by SIGTERM"
    killed = "ffmpeg was killed by SIGKILL, as the kernel does where memory is short"
    assert str(CommandFailed("ffmpeg", -9, "a warning\n")) == killed


def test_command_in_a_directory_with_a_space() -> None:
    """The command line is quoted, as a shell needs it."""
    assert str(CommandFailed("'/opt/my tools/ffmpeg' -i x", 1, "bad")) == "ffmpeg ended with status 1: bad"
