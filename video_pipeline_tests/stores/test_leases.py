from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from video_pipeline.stores import leases

HOLD = """
import sys
from pathlib import Path
from video_pipeline.stores import leases
leases.hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
leases.end(Path(sys.argv[1]))
print("ended", flush=True)
sys.stdin.readline()
"""


@contextmanager
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has a lease."""
    command = [sys.executable, "-c", HOLD, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    leases.end(tmp_path)


def later(root: Path, than: int) -> int:
    """A moment after another one, by the file system's clock."""
    while True:
        (root / "clock").touch()
        if (now := (root / "clock").stat().st_mtime_ns) > than:
            return now


def test_nobody_is_there(root: Path) -> None:
    first = leases.oldest(root)
    now = later(root, first)
    assert leases.oldest(root) >= now


def test_a_lease_says_since_when(root: Path) -> None:
    before = later(root, 0)
    leases.hold(root)
    after = later(root, leases.oldest(root))
    leases.hold(root)  # goes on
    assert before <= leases.oldest(root) < after
    leases.end(root)
    leases.end(root)
    assert leases.oldest(root) >= after


def test_another_process(root: Path) -> None:
    with holder(root) as child:
        now = later(root, leases.oldest(root))
        leases.hold(root)
        assert leases.oldest(root) < now
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "ended\n"
        assert child.poll() is None, "it lives, and waits for its next run"
        assert leases.oldest(root) >= now


def test_a_killed_process_has_none(root: Path) -> None:
    with holder(root) as child:
        now = later(root, leases.oldest(root))
        assert leases.oldest(root) < now
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert leases.oldest(root) >= now
    assert [path.name for path in (root / ".leases").iterdir()] == ["now"]


FORK = """
import os, sys
from pathlib import Path
from video_pipeline.stores import leases
root = Path(sys.argv[1])
first = leases.hold(root)
pid = os.fork()
if pid == 0:
    own = leases.hold(root)
    leases.end(root)
    os._exit(0 if own.path != first.path and not own.path.exists() and first.path.exists() else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert leases.oldest(root) == first.path.stat().st_mtime_ns
"""


def test_a_fork_has_its_own(root: Path) -> None:
    """Celery forks its children; what the parent holds is not theirs."""
    subprocess.run([sys.executable, "-c", FORK, str(root)], check=True)
