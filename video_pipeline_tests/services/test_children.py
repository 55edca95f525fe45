from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from video_pipeline.errors import ServiceDown
from video_pipeline.services import children
from video_pipeline.services.children import Child
from video_pipeline_tests.processes import wait_for

STUBBORN = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


def start(tmp_path: Path, code: str, patience: float = 10.0) -> Child:
    argv = [sys.executable, "-c", code]
    return children.start("thing", argv, environment=os.environ, logs=tmp_path, cwd=tmp_path, patience=patience)


def living(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_what_a_stubborn_child_started_goes_with_it(tmp_path: Path) -> None:
    child = start(tmp_path, STUBBORN, patience=0.2)
    grandchild = int(wait_for(lambda: (tmp_path / "thing.log").read_text().strip()))
    assert living(grandchild)
    children.stop([child])
    assert not child.alive
    wait_for(lambda: not living(grandchild))


def test_a_child_that_ends_too_early_is_explained(tmp_path: Path) -> None:
    child = start(tmp_path, "import sys; print('no such luck'); sys.exit(4)")
    with pytest.raises(ServiceDown, match=r"(?s)thing ended with status 4.*thing\.log.*no such luck"):
        children.wait_until(child, lambda: False, 20)


def test_a_child_that_is_never_ready_is_explained(tmp_path: Path) -> None:
    child = start(tmp_path, "print('thinking', flush=True); import time; time.sleep(600)")
    wait_for(lambda: (tmp_path / "thing.log").read_text())
    with pytest.raises(ServiceDown, match=r"(?s)not ready after 0 s.*thinking"):
        children.wait_until(child, lambda: False, 0.1)
    children.stop([child])
    assert "killed by SIGTERM" in child.why_ended()


def test_a_program_that_runs_once_says_its_last_line(tmp_path: Path) -> None:
    assert children.finish(start(tmp_path, "print('one'); print('two')"), 20) == "two"
    with pytest.raises(ServiceDown, match="thing ended with status 1"):
        children.finish(start(tmp_path, "1 / 0"), 20)
    slow = start(tmp_path, "import time; time.sleep(600)")
    with pytest.raises(ServiceDown, match="not ready"):
        children.finish(slow, 0.1)
    children.stop([slow])


def test_a_log_is_kept_if_that_is_asked(tmp_path: Path) -> None:
    for keep, word in ((False, "one"), (True, "two"), (False, "three")):
        argv = [sys.executable, "-c", f"print({word!r})"]
        child = children.start("thing", argv, environment=os.environ, logs=tmp_path, cwd=tmp_path, keep_log=keep)
        children.finish(child, 20)
        expected = "one\ntwo\n" if keep else f"{word}\n"
        assert child.log.read_text() == expected
    assert (tmp_path / "thing.log.1").read_text() == "one\ntwo\n", "the one before"


def test_children_die_with_their_parent_however_it_ends(tmp_path: Path) -> None:
    code = f"""
import os, pathlib, sys, time
from video_pipeline.services import children
here = pathlib.Path({str(tmp_path)!r})
argv = [sys.executable, "-c", "import time; time.sleep(600)"]
child = children.start("inner", argv, environment=os.environ, logs=here, cwd=here)
print(child.process.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert living(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not living(pid), 10)
