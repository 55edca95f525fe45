from __future__ import annotations

import os
from pathlib import Path

import pytest

from video_pipeline.errors import HomeError
from video_pipeline.services import lock


def test_one_at_a_time(tmp_path: Path) -> None:
    assert lock.holder(tmp_path) is None, "nobody was ever here"
    taken = lock.take(tmp_path)
    assert lock.holder(tmp_path) == os.getpid()
    with pytest.raises(HomeError, match=f"process {os.getpid()}"):
        lock.take(tmp_path)
    os.close(taken)
    assert lock.holder(tmp_path) is None, "the file is there, but nobody has it"
    os.close(lock.take(tmp_path))
