from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from video_pipeline_tests.processes import wait_for

WAITS = """
import fcntl, os, pathlib, sys, termios
from video_pipeline.services.signals import hangups, stopping_signals
told = pathlib.Path(sys.argv[1])
if os.isatty(0):
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
try:
    with stopping_signals(), hangups() as asked:
        told.write_text("ready")
        while True:
            if asked.wait(0.05):
                asked.clear()
                told.write_text("asked")
except KeyboardInterrupt:
    told.write_text("interrupted")
"""


def start(told: Path, stdin: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", WAITS, told], stdin=stdin, start_new_session=True)
    wait_for(lambda: told.exists() and told.read_text() == "ready")
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: told.read_text() == "asked")
    return process


def test_without_a_terminal_a_hangup_only_asks(tmp_path: Path) -> None:
    told = tmp_path / "told"
    process = start(told, subprocess.DEVNULL)
    process.terminate()
    assert process.wait(20) == 0
    assert told.read_text() == "interrupted"


def test_a_terminal_that_is_closed_ends_it(tmp_path: Path) -> None:
    told = tmp_path / "told"
    outer, inner = pty.openpty()
    process = start(told, inner)
    os.close(inner)
    os.close(outer)
    assert process.wait(20) == 0
    assert told.read_text() == "interrupted"
