"""The one job: everything of one video."""

import dagster as dg

process_video = dg.define_asset_job(
    name="process_video",
    selection=dg.AssetSelection.all(),
    description="Makes and publishes everything of one video. What stands already is taken from its checkpoint.",
)
