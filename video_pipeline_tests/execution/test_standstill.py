"""A run whose whole worker stood still for a while, as in a host that was suspended."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from video_pipeline.connection import client
from video_pipeline.execution.keys import HEARTBEAT_TTL, Keys
from video_pipeline.execution.watch import RunWatch
from video_pipeline.settings import Settings
from video_pipeline_tests.processes import wait_for

RUN = """
import pathlib, sys, time
from video_pipeline import settings
from video_pipeline.execution.watch import RunWatch
given_up = pathlib.Path(sys.argv[1])
with RunWatch(settings.load(), "r", given_up.exists):
    time.sleep(600)
"""


@pytest.mark.parametrize("given_up", [True, False])
def test_a_run_that_stood_still_asks_whether_it_is_still_wanted(
    given_up: bool, queue_settings: Settings, tmp_path: Path
) -> None:
    connection, alive = client(queue_settings), Keys(queue_settings).alive("r")
    told = tmp_path / "given-up"
    argv = [sys.executable, "-c", RUN, str(told)]
    with subprocess.Popen(argv, env=queue_settings.environment(), stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: connection.exists(alive))
            process.send_signal(signal.SIGSTOP)
            wait_for(lambda: not connection.exists(alive))
            if given_up:
                told.touch()
            process.send_signal(signal.SIGCONT)
            if given_up:
                assert process.wait(20) == -signal.SIGINT
            else:
                wait_for(lambda: connection.exists(alive))
                assert process.poll() is None
        finally:
            process.kill()


def test_it_asks_also_if_it_beats_again_before_its_guard_looks(queue_settings: Settings) -> None:
    watch = RunWatch(queue_settings, "r", lambda: True)
    watch._beat()
    assert not watch._shall_stop()
    watch._beaten -= HEARTBEAT_TTL
    assert watch._shall_stop()
