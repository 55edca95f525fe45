"""Checkpoints that are damaged, gone or dropped: what is needed is made again, and nothing else."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from video_pipeline import cli_process
from video_pipeline.definitions import defs
from video_pipeline.settings import Settings, load
from video_pipeline.stores import budget, leases
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.assets.conftest import VIDEO, Processed
from video_pipeline_tests.assets.test_faults import QUIET
from video_pipeline_tests.processes import files_below


@pytest.fixture
def seen(processed: Processed, own_home: Settings) -> Settings:
    """A copy of the processed video's home, hard links within it too."""
    subprocess.run(["cp", "-a", f"{processed.home}/.", str(own_home.home)], check=True)
    return own_home


def again(processed: Processed, ours: Settings) -> str:
    return cli_process.run(ours, VIDEO, source=str(processed.clip), preset="draft", title="Seen")


def published(ours: Settings) -> dict[str, str]:
    place = ours.store / "videos"
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files_below(place)}


def checkpoints(ours: Settings) -> dict[Path, int]:
    """Each with a number that changes when it is written; a frame map is written by every run."""
    found = sorted((ours.store / "checkpoints").glob("[a-z]*/*.json"))
    return {path: path.stat().st_ino for path in found if path.parent.name != "frame_map"}


def blobs(ours: Settings, checkpoint: Path) -> list[Path]:
    """Those it names."""
    found: list[str] = []

    def take(value: dict[str, Any]) -> dict[str, Any]:
        found.extend([value["sha256"]] if value.keys() == {"sha256", "size"} else [])
        return value

    json.loads(checkpoint.read_text(), object_hook=take)
    return [ours.store / "blobs" / "sha256" / digest[:2] / digest for digest in found]


def damage(path: Path, how: int) -> None:
    """In place, so that a release that has the same file is damaged too."""
    data = bytearray(path.read_bytes())
    if how == 0:
        data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes((data, data[: len(data) // 2], b"")[how])


@pytest.mark.parametrize("turn", [0, 1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_is_damaged_is_made_again(processed: Processed, seen: Settings, turn: int) -> None:
    """Of three checkpoints one has a damaged file, one is damaged itself, and one is whole; in turn."""
    before, written = published(seen), checkpoints(seen)
    kinds = {path.parent.name for path in written}
    assert {"source", "technical", "rendition", "audio", "streams", "analysis", "thumbnails", "sprites"} < kinds
    damaged = set()
    for n, path in enumerate(written):
        named = blobs(seen, path)
        if (n + turn) % 3 == 0 and named and path.parent.name != "source":
            damage(named[n % len(named)], (n + turn) % 2)
        elif (n + turn) % 3 == 1:
            damage(path, turn)
            # One flipped bit may leave it a checkpoint, of something else.
            path.write_text(f"\0{path.read_text()}" if turn == 0 else path.read_text())
        else:
            continue
        damaged.add(path)
    assert again(processed, seen) == processed.release
    now = checkpoints(seen)
    assert {path for path in now if now[path] != written.get(path)} == damaged
    assert published(seen) == before
    names = [Path(path) for path in before if "/media/" in path]
    assert names
    assert all(path.stem == before[str(path)] for path in names)


@pytest.mark.parametrize("how", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_a_damaged_source_is_taken_in_again(processed: Processed, seen: Settings, how: int) -> None:
    """When something is to be made from it; nobody reads it for nothing."""
    [path] = (seen.store / "checkpoints/source").glob("*.json")
    [blob] = blobs(seen, path)
    damage(blob, how)
    [checkpoint] = (seen.store / "checkpoints/audio").glob("*.json")
    checkpoint.unlink()
    assert again(processed, seen) == processed.release
    assert blob.read_bytes() == processed.clip.read_bytes()


def launch(ours: Settings, *assets: str) -> dg.ExecuteInProcessResult:
    """As from the UI, of a video that was made once."""
    with dg.DagsterInstance.from_config(str(ours.dagster_home)) as instance:
        return defs.resolve_job_def("process_video").execute_in_process(
            instance=instance,
            partition_key=VIDEO,
            run_config=QUIET,
            asset_selection=[dg.AssetKey(asset.split("/")) for asset in assets] or None,
            raise_on_error=False,
        )


def test_a_part_whose_input_was_dropped(processed: Processed, seen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to launch, and that helps."""
    leases.end(seen.store)
    # What a live run uses stays, though no checkpoint was asked for by name.
    assert launch(seen, "streams", "thumbnails").success
    outcome = budget.evict(LocalStore(seen.store), 0)
    assert outcome is not None
    assert outcome.dropped == 0
    monkeypatch.setenv("VIDEO_PIPELINE_CHECKPOINT_GB", "0")
    ours = load()
    assert again(processed, ours) == processed.release
    left = {path.name: path.stat().st_nlink for path in files_below(ours.store / "blobs")}
    assert [name for name, links in left.items() if links == 1] == [
        hashlib.sha256(processed.clip.read_bytes()).hexdigest()
    ]
    result = launch(ours, "streams")
    assert not result.success
    error = cli_process.first_failure(result, ours)
    assert error.error_class == "dependency"
    assert str(error) == (
        "renditions/audio of seen: its files are no longer kept (VIDEO_PIPELINE_CHECKPOINT_GB); "
        "launch the whole graph of this video, which makes them again"
    )
    assert launch(ours).success, "the whole graph"
