"""The one job: everything of one video."""

import dagster as dg

from video_pipeline.partitions import videos

process_video = dg.define_asset_job(
    name="process_video",
    selection=dg.AssetSelection.all(),
    partitions_def=videos,
    description="Makes and publishes everything of one video. What stands already is taken from its checkpoint.",
)
