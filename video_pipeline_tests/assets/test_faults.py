"""A fault in what was made stops the release; a launch by hand makes its own request."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from video_pipeline import cli_process
from video_pipeline.definitions import defs
from video_pipeline.errors import CheckFailed, SourceError
from video_pipeline.partitions import videos
from video_pipeline.settings import Settings
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
from video_pipeline_tests.assets.conftest import VIDEO, Processed
from video_pipeline_tests.seeded import replace_blob

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def unpublished(processed: Processed, own_home: Settings) -> Settings:
    """All checkpoints of the processed video, but nothing published and no check passed."""
    shutil.copytree(processed.home / "store" / "blobs", own_home.store / "blobs")
    shutil.copytree(processed.home / "store" / "checkpoints", own_home.store / "checkpoints")
    shutil.rmtree(own_home.store / "checkpoints" / "quality")
    return own_home


def packaged(processed: Processed, ours: Settings) -> Path:
    """The blob of the largest packaged file."""
    media = processed.home / "store" / "videos" / VIDEO / "media"
    digest = max(media.iterdir(), key=lambda path: path.stat().st_size).stem
    [blob] = (ours.store / "blobs").rglob(digest)
    return blob


def published(ours: Settings) -> list[Path]:
    return [path for path in (ours.store / "videos").rglob("*") if path.is_file()]


def test_damaged_file_is_not_published(processed: Processed, unpublished: Settings) -> None:
    blob = packaged(processed, unpublished)
    data = bytearray(blob.read_bytes())
    # The end of the last picture is gone.
    data[-20_000:] = bytes(20_000)
    replace_blob(unpublished.store, blob.name, bytes(data))
    with pytest.raises(CheckFailed, match=r"check decodes failed: h264-360p: \S") as caught:
        cli_process.run(unpublished, VIDEO, source=str(processed.clip), preset="draft", title="Seen")
    assert "frames decoded and 100 stored, 100 planned" in str(caught.value)
    assert published(unpublished) == []
    with dg.DagsterInstance.from_config(str(unpublished.dagster_home)) as instance:
        [run] = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.FAILURE
        assert instance.get_latest_materialization_event(dg.AssetKey("release")) is None
        records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    checks = [record.event_log_entry.asset_check_evaluation for record in records]
    passed = {check.check_name: check.passed for check in checks if check is not None}
    assert not passed["decodes"]
    assert passed["sprite_tiles"]
    assert list((unpublished.store / "checkpoints").glob("quality/*")) == []


def test_undamaged_file_is_published(processed: Processed, unpublished: Settings) -> None:
    """The same without the damage: it is the damage that stops it."""
    release = cli_process.run(unpublished, VIDEO, source=str(processed.clip), preset="draft", title="Seen")
    assert release == processed.release
    assert published(unpublished)


def launch(config: dict[str, Any], video_id: str, ours: Settings) -> dg.ExecuteInProcessResult:
    """As a launch from the UI: without tags that name a request."""
    with dg.DagsterInstance.from_config(str(ours.dagster_home)) as instance:
        instance.add_dynamic_partitions(str(videos.name), [video_id])
        return defs.resolve_job_def("process_video").execute_in_process(
            instance=instance,
            partition_key=video_id,
            run_config={**QUIET, "ops": {"source": {"config": config}}},
            asset_selection=[dg.AssetKey("source"), dg.AssetKey("technical_metadata"), dg.AssetKey("encoding_plan")],
            raise_on_error=False,
        )


def test_source_in_the_run_config_makes_a_request(
    processed: Processed, own_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {
        "source": str(processed.clip),
        "preset": "480p",
        "title": "By hand",
        "tags": ["a", "b"],
        "metadata": {"customer": {"name": "acme"}},
    }
    result = launch(config, "by-hand", own_home)
    assert result.success
    requests = Requests(Index(own_home.index_url))
    made = requests.latest("by-hand")
    assert made is not None
    assert (made.version, made.source, made.preset) == (1, str(processed.clip), "480p")
    assert made.job_id == f"run:{result.run_id}", "however often the step is tried"
    assert (made.title, made.tags, made.metadata) == ("By hand", ("a", "b"), {"customer": {"name": "acme"}})
    assert result.output_for_node("encoding_plan").preset == "480p"
    monkeypatch.setenv("VIDEO_PIPELINE_DEFAULT_PRESET", "720p")
    # Without a source the known request is run again; with one it is a new version.
    assert launch({}, "by-hand", own_home).output_for_node("source").request == 1
    assert launch({"source": str(processed.clip)}, "by-hand", own_home).output_for_node("source").request == 2
    made = requests.latest("by-hand")
    assert made is not None
    assert (made.version, made.preset) == (2, "720p")
    # Other fields alone change these fields; a bad one changes nothing.
    assert launch({"title": "Better"}, "by-hand", own_home).output_for_node("source").request == 3
    assert not launch({"preset": "huge"}, "by-hand", own_home).success
    assert not launch({"source": "/nowhere.mp4"}, "by-hand", own_home).success
    made = requests.latest("by-hand")
    assert made is not None
    assert (made.version, made.source, made.preset, made.title) == (3, str(processed.clip), "720p", "Better")


def test_launch_without_any_request(own_home: Settings) -> None:
    Index(own_home.index_url).upgrade()
    result = launch({}, "unknown", own_home)
    assert not result.success
    [failed] = [event for event in result.all_node_events if event.is_step_failure and event.node_name == "source"]
    assert failed.step_failure_data.user_failure_data is not None
    notes = {name: value.value for name, value in failed.step_failure_data.user_failure_data.metadata.items()}
    assert notes["error_class"] == "permanent"
    assert "video unknown has no request yet" in str(notes["error"])
    # Trying again cannot help, so it was not.
    assert not [event for event in result.all_node_events if event.is_step_restarted]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (None, "was not made yet; launch the whole graph of this video first"),
        ("{}", "was written by another version; launch the whole graph of this video, which makes it again"),
    ],
    ids=["never made", "in another form"],
)
def test_input_that_cannot_be_used(own_home: Settings, written: str | None, why: str) -> None:
    """A step launched alone: the IO manager raises, outside of the step's own error handling."""
    if written is not None:
        (own_home.store / "artifacts/source").mkdir(parents=True)
        (own_home.store / "artifacts/source/alone.json").write_text(written)
    with dg.DagsterInstance.from_config(str(own_home.dagster_home)) as instance:
        instance.add_dynamic_partitions(str(videos.name), ["alone"])
        result = defs.resolve_job_def("process_video").execute_in_process(
            instance=instance,
            partition_key="alone",
            run_config=QUIET,
            asset_selection=[dg.AssetKey("technical_metadata")],
            raise_on_error=False,
        )
    assert not result.success
    error = cli_process.first_failure(result, own_home)
    assert isinstance(error, SourceError)
    assert str(error) == f"source of alone {why}"
