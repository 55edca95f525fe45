"""What Dagster loads: every asset says what it is, and every check blocks."""

from __future__ import annotations

import dagster as dg

from video_pipeline.definitions import defs
from video_pipeline.media.quality import CHECKS
from video_pipeline.partitions import videos

FAMILIES = {f"renditions/{family}" for family in ("h264", "hevc", "vp9", "av1")}
MADE = {*FAMILIES, *"content_analysis encoding_plan streams thumbnails download quality_report".split()}
GRAPH = {
    "source": ("ingest", {"file"}, set()),
    "technical_metadata": ("ingest", {"ffmpeg"}, {"source"}),
    "encoding_plan": ("ingest", {"python"}, {"source", "technical_metadata"}),
    "subtitles": ("ingest", {"ffmpeg", "webvtt"}, {"source", "encoding_plan"}),
    "renditions/h264": ("ingest", {"ffmpeg", "h264"}, {"source", "technical_metadata", "encoding_plan"}),
    "renditions/hevc": ("ingest", {"ffmpeg", "hevc"}, {"source", "technical_metadata", "encoding_plan"}),
    "renditions/vp9": ("ingest", {"ffmpeg", "vp9"}, {"source", "technical_metadata", "encoding_plan"}),
    "renditions/av1": ("ingest", {"ffmpeg", "av1"}, {"source", "technical_metadata", "encoding_plan"}),
    "renditions/audio": ("ingest", {"ffmpeg", "aac"}, {"source", "encoding_plan"}),
    "streams": (
        "ingest",
        {"hls", "dash"},
        {"encoding_plan", "subtitles", "sprites", *FAMILIES, "renditions/audio"},
    ),
    "download": ("ingest", {"ffmpeg"}, {"encoding_plan", *FAMILIES, "renditions/audio"}),
    "content_analysis": ("analysis", {"python", "ffmpeg"}, {"encoding_plan", *FAMILIES, "renditions/audio"}),
    "thumbnails": ("images", {"jpeg"}, {"source", "encoding_plan", "content_analysis", *FAMILIES}),
    "preview": (
        "images",
        {"ffmpeg", "h264", "webp"},
        {"encoding_plan", "content_analysis", "thumbnails", *FAMILIES},
    ),
    "sprites": ("images", {"jpeg", "webvtt"}, {"encoding_plan", *FAMILIES}),
    "quality_report": (
        "publish",
        {"ffmpeg"},
        {
            *("source", "encoding_plan", *FAMILIES, "renditions/audio", "streams", "subtitles", "thumbnails"),
            *("sprites", "preview", "download", "content_analysis"),
        },
    ),
    "release": (
        "publish",
        {"file"},
        {"source", "technical_metadata", *MADE, "sprites", "preview", "subtitles"},
    ),
    "metadata_index": (
        "publish",
        {"sqlite"},
        {"source", "technical_metadata", *MADE, "preview", "release"},
    ),
}
"""Asset to group, kinds and what it is made from."""


def specs() -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_definitions_load() -> None:
    dg.Definitions.validate_loadable(defs)
    assert specs().keys() == GRAPH.keys()


def test_groups_kinds_and_inputs() -> None:
    found = {
        name: (spec.group_name, spec.kinds, {dep.asset_key.to_user_string() for dep in spec.deps})
        for name, spec in specs().items()
    }
    assert found == GRAPH


def test_every_asset_says_what_it_is() -> None:
    for name, spec in specs().items():
        assert spec.owners == ["team:video-platform"], name
        assert spec.code_version, name
        assert spec.description, name
        assert spec.description.endswith("."), name
        assert isinstance(spec.partitions_def, dg.DynamicPartitionsDefinition), name
        assert spec.partitions_def.name == "videos", name


def test_every_asset_is_tried_twice_at_most() -> None:
    """Every longer wait belongs to the queue."""
    for assets in defs.resolve_asset_graph().assets_defs:
        policy = assets.op.retry_policy
        assert policy is not None, assets.key
        assert policy.max_retries == 1, assets.key


def test_every_check_blocks() -> None:
    graph = defs.resolve_asset_graph()
    checks = {key: graph.get_check_spec(key) for key in graph.asset_check_keys}
    assert {spec.name: spec.description for spec in checks.values()} == CHECKS
    assert {spec.asset_key for spec in checks.values()} == {dg.AssetKey("quality_report")}
    assert all(spec.blocking for spec in checks.values())
    # Each video has its own verdict.
    assert {spec.partitions_def for spec in checks.values()} == {videos}


def test_the_ways_in() -> None:
    sensors = {sensor.name: sensor for sensor in defs.sensors or []}
    assert sensors.keys() == {"intake", "watched_directory"}
    assert sensors["watched_directory"].description
    for sensor in sensors.values():
        assert isinstance(sensor, dg.SensorDefinition)
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


def test_the_job_makes_everything() -> None:
    job = defs.resolve_job_def("process_video")
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == GRAPH.keys()
    assert job.partitions_def == specs()["source"].partitions_def
