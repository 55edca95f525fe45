from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline.errors import CommandFailed, DiskFull, StalledError, ToolMissing
from video_pipeline.media import child, process
from video_pipeline.media.limits import Limits


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "this did not happen in time"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """A zombie has ended too; its parent has not asked yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def pid_in(path: Path) -> int:
    wait_until(lambda: path.is_file() and path.read_text().endswith("\n"))
    return int(path.read_text())


def children() -> set[str]:
    """Of this process, by id; one that ends meanwhile is none."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if path.read_text().rsplit(")", 1)[1].split()[1] == str(os.getpid()):
                found.add(path.parent.name)
    return found


def test_output_and_log_are_apart() -> None:
    done = process.run(["sh", "-c", "echo out; echo log >&2"])
    assert (done.stdout, done.stderr, done.status) == (b"out\n", "log\n", 0)


def test_more_than_a_pipe_holds_comes_through_whole() -> None:
    """64 KiB fill a pipe; whoever reads one of two to its end first hangs."""
    code = "import sys\nfor n in range(40): sys.stdout.write('o' * 50_000); sys.stderr.write('e' * 50_000)"
    done = process.run(python(code), keep_log=True)
    assert (len(done.stdout), len(done.stderr)) == (2_000_000, 2_000_000)


def test_only_the_end_of_a_long_log_is_kept() -> None:
    done = process.run(python("import sys; sys.stderr.write('x' * 1_000_000 + 'last words')"))
    assert len(done.stderr) == child.LOG_BYTES
    assert done.stderr.endswith("last words")


def test_output_as_it_comes() -> None:
    """The child waits for a sign that its first line has been seen."""
    read, write = os.pipe()
    got: list[bytes] = []

    def take(data: bytes) -> None:
        got.append(data)
        if len(got) == 1:
            os.write(write, b"!")

    code = f"import os; print('first', flush=True); os.read(os.open('/proc/{os.getpid()}/fd/{read}', os.O_RDONLY), 1)"
    done = process.run(python(code + "; print('second')"), on_stdout=take, stall_seconds=20)
    os.close(read)
    os.close(write)
    assert b"".join(got) == b"first\nsecond\n"
    assert done.stdout == b""


def test_a_failure_can_be_repeated_by_hand() -> None:
    argv = ["sh", "-c", "echo 'no such codec' >&2; exit 7", "a name"]
    with pytest.raises(CommandFailed, match=r"^sh ended with status 7: no such codec$") as caught:
        process.run(argv)
    again = subprocess.run(caught.value.argv, shell=True, stderr=subprocess.PIPE)
    assert (again.returncode, again.stderr) == (7, b"no such codec\n")


def test_a_full_disk_is_told_apart() -> None:
    with pytest.raises(DiskFull):
        process.run(["sh", "-c", "echo 'av_write_frame(): No space left on device' >&2; exit 1"])


def test_a_full_device_is_a_full_disk() -> None:
    with pytest.raises(DiskFull):
        process.run(["dd", "if=/dev/zero", "of=/dev/full", "bs=4k", "count=1"])


@pytest.mark.parametrize("program", ["/no/such/program", __file__])
def test_a_program_that_is_none(program: str) -> None:
    with pytest.raises(ToolMissing, match="cannot be run"):
        process.run([program])


def test_standard_input_is_closed() -> None:
    """A child that asks "overwrite?" gets no answer instead of waiting for one."""
    assert process.run(["cat"], stall_seconds=20).stdout == b""


def test_directory_and_niceness(tmp_path: Path) -> None:
    done = process.run(["sh", "-c", "pwd; nice"], cwd=tmp_path, nice=3)
    where, nice = done.stdout.decode().split()
    assert Path(where) == tmp_path
    assert int(nice) == min(19, os.nice(0) + 3)


def test_limits_hold(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="MemoryError"):
        process.run(python("bytearray(2 * 10**9)"), limits=Limits(memory=10**9))
    with pytest.raises(CommandFailed):
        process.run(
            ["dd", "if=/dev/zero", "of=big", "bs=1k", "count=100"], cwd=tmp_path, limits=Limits(file_size=50_000)
        )
    assert (tmp_path / "big").stat().st_size <= 50_000
    with pytest.raises(CommandFailed) as caught:
        process.run(python("while True: pass"), limits=Limits(cpu_seconds=1))
    assert caught.value.status in (-signal.SIGXCPU, -signal.SIGKILL)


def test_no_core_file_and_no_limit_of_ours_is_touched() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    assert process.run(["sh", "-c", "ulimit -c"]).stdout == b"0\n"
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_stalled_child_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(StalledError, match=r"sh made no progress for 0\.5 s"):
        process.run(["sh", "-c", "echo $$ > pid; sleep 600"], cwd=tmp_path, stall_seconds=0.5)
    assert not alive(pid_in(tmp_path / "pid"))


def test_one_that_closes_its_output_and_stalls_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(StalledError):
        process.run(["sh", "-c", "echo $$ > pid; exec >&- 2>&-; exec sleep 600"], cwd=tmp_path, stall_seconds=0.5)
    assert not alive(pid_in(tmp_path / "pid"))


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import time\nfor n in range(8): print(n, flush=True); time.sleep(0.3)", id="prints"),
        pytest.param("import time\nend = time.time() + 2.4\nwhile time.time() < end: pass", id="computes"),
    ],
)
def test_a_child_that_moves_is_not_stalled(code: str) -> None:
    assert process.run(python(code), stall_seconds=1.2).status == 0


def test_grandchildren_end_too(tmp_path: Path) -> None:
    with pytest.raises(StalledError):
        process.run(["sh", "-c", "sleep 600 & echo $! > pid; wait"], cwd=tmp_path, stall_seconds=0.5)
    pid = pid_in(tmp_path / "pid")
    wait_until(lambda: not alive(pid))


def test_one_that_ignores_term_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "TERM_SECONDS", 0.3)
    code = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    code += "open('pid', 'w').write(f'{os.getpid()}\\n'); time.sleep(600)"
    with pytest.raises(StalledError):
        process.run(python(code), cwd=tmp_path, stall_seconds=0.5)
    assert not alive(pid_in(tmp_path / "pid"))


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt() -> None:
        pid_in(tmp_path / "pid")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        process.run(["sh", "-c", "echo $$ > pid; exec sleep 600"], cwd=tmp_path)
    thread.join()
    assert not alive(pid_in(tmp_path / "pid"))


def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    code = "from video_pipeline.media import process; process.run(['sh', '-c', 'echo $$ > pid; exec sleep 600'])"
    parent = subprocess.Popen(python(code), cwd=tmp_path)
    child = pid_in(tmp_path / "pid")
    parent.kill()
    parent.wait()
    wait_until(lambda: not alive(child))


def test_several_run_at_once_and_answer_in_order(tmp_path: Path) -> None:
    """Each waits for the other's file, so neither could end if they ran one after the other."""
    wait = "while [ ! -e {other} ]; do sleep 0.01; done; echo {name}"
    argvs = [["sh", "-c", f"touch {name}; " + wait.format(name=name, other=other)] for name, other in ("ab", "ba")]
    done = process.run_all(argvs, cwd=tmp_path)
    assert [one.stdout for one in done] == [b"a\n", b"b\n"]


def test_one_that_fails_stops_the_others(tmp_path: Path) -> None:
    wait = "while [ ! -e pid ]; do sleep 0.01; done; exit 3"
    with pytest.raises(CommandFailed, match="status"):
        process.run_all([["sh", "-c", "echo $$ > pid; exec sleep 600"], ["sh", "-c", wait]], cwd=tmp_path)
    assert not alive(pid_in(tmp_path / "pid"))


def test_the_error_of_several_is_that_of_the_one_that_failed() -> None:
    """Those that are stopped for its sake end with a signal, which explains nothing."""
    with pytest.raises(CommandFailed, match="status 3: broken"):
        process.run_all([["sleep", "600"], ["sh", "-c", "echo broken >&2; exit 3"]])


def test_without_check_a_failure_is_a_result() -> None:
    done = process.run_all([["sh", "-c", "exit 3"], ["echo", "fine"]], check=False)
    assert [(one.status, one.stdout) for one in done] == [(3, b""), (0, b"fine\n")]


def test_if_one_cannot_start_none_stays() -> None:
    before = children()
    with pytest.raises(ToolMissing):
        process.run_all([["sleep", "600"], ["/no/such/program"]])
    assert children() == before
