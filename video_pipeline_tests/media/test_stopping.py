"""How children are stopped when whoever stops them is interrupted again."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from video_pipeline.media import process
from video_pipeline_tests.processes import wait_for

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: open("asked", "w").close())
open("beside", "w").write(str(os.getpid())); os.rename("beside", "pid")
while True: time.sleep(600)
"""


def test_an_interrupt_while_a_child_is_being_stopped_kills_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TERM_SECONDS", 600.0)

    def interrupt_twice() -> None:
        for moment in ("pid", "asked"):
            wait_for((tmp_path / moment).exists)
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt_twice)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        process.run([sys.executable, "-c", STUBBORN], cwd=tmp_path)
    thread.join()
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()
