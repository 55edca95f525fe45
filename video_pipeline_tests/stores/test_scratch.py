from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from video_pipeline.errors import HomeError
from video_pipeline.stores.scratch import scratch

HOLD = """
import sys, time
from pathlib import Path
from video_pipeline.stores.scratch import scratch
with scratch(Path(sys.argv[1])) as place:
    (place / "big").write_bytes(b"x")
    print(place, flush=True)
    time.sleep(60)
"""


def test_gone_afterwards(tmp_path: Path) -> None:
    with scratch(tmp_path / "new") as place:
        (place / "file").touch()
        assert place.is_dir()
    assert list((tmp_path / "new").iterdir()) == []


def test_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), scratch(tmp_path) as place:
        place.read_bytes()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_s_directory_goes_and_a_living_one_s_stays(tmp_path: Path) -> None:
    holders = [
        subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) for _ in "ab"
    ]
    try:
        dead, living = (Path(holder.stdout.readline().strip()) for holder in holders if holder.stdout)
        holders[0].send_signal(signal.SIGKILL)
        holders[0].wait()
        assert dead.exists()
        with scratch(tmp_path):
            assert not dead.exists()
            assert (living / "big").exists()
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()


def test_unusable_root_is_a_home_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeError), scratch(tmp_path / "file" / "below"):
        pass
