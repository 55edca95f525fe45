from __future__ import annotations

import json
from pathlib import Path

import pytest

from video_pipeline.stores import leases
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.processes import run
from video_pipeline_tests.stores.test_budget import KB, age, made, there


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three checkpoints, the first used first."""
    store = LocalStore(tmp_path / "store")
    for key in "abc":
        made(store, key)
    leases.end(store.root)
    age(store, *"abc")
    return tmp_path


def test_what_is_kept(home: Path) -> None:
    done = run(home, "checkpoints", VIDEO_PIPELINE_CHECKPOINT_GB="0.5")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "0.000 GB in 3 files are kept, 0.000 GB of it in use; the budget is 0.5 GB (VIDEO_PIPELINE_CHECKPOINT_GB)",
        "least recently used: 2023-11-14T22:13:20+00:00",
    ]
    assert json.loads(run(home, "checkpoints", "--json").stdout) == {
        "files": 3,
        "bytes": 3 * KB,
        "bytesInUse": 0,
        "bytesDropped": 0,
        "budgetBytes": 100_000_000_000,
        "leastRecentlyUsed": "2023-11-14T22:13:20+00:00",
    }


def test_making_room(home: Path) -> None:
    told = json.loads(run(home, "checkpoints", "--evict", "--keep", "0.000002", "--json").stdout)
    assert (told["files"], told["bytes"], told["bytesDropped"]) == (2, 2 * KB, KB)
    assert there(LocalStore(home / "store"), *"abc") == ["b", "c"]
    done = run(home, "checkpoints", "--evict", VIDEO_PIPELINE_CHECKPOINT_GB="0")
    assert done.stdout.startswith("dropped 0.000 GB\n0.000 GB in 0 files are kept")
    assert there(LocalStore(home / "store"), *"abc") == []


def test_keep_alone_is_refused(home: Path) -> None:
    done = run(home, "checkpoints", "--keep", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--keep goes with --evict" in done.stderr


def test_an_empty_home(tmp_path: Path) -> None:
    done = run(tmp_path / "home", "checkpoints", "--evict")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "home").exists()
