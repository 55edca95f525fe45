"""Assembles what Dagster loads, nothing else."""

import dagster as dg

from video_pipeline.assets import (
    analysis,
    download,
    indexing,
    ingest,
    preview,
    publish,
    renditions,
    sound,
    sprites,
    streams,
    text,
    thumbnails,
)
from video_pipeline.assets.io_manager import ModelIOManager
from video_pipeline.jobs import process_video
from video_pipeline.resources import IndexResource, MediaResource, ProgressResource, StoreResource
from video_pipeline.sensors import intake
from video_pipeline.watched import watched_directory

store = StoreResource()

defs = dg.Definitions(
    assets=dg.load_assets_from_modules(
        [ingest, text, renditions, sound, streams, download, analysis, thumbnails, sprites, preview, publish, indexing]
    ),
    jobs=[process_video],
    sensors=[intake, watched_directory],
    resources={
        "media": MediaResource(),
        "store": store,
        "index": IndexResource(),
        "progress": ProgressResource(),
        "io_manager": ModelIOManager(store=store),
    },
    executor=dg.in_process_executor,
)
