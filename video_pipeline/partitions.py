"""The one partitions definition: a video is a partition."""

import dagster as dg

# One object for all assets: equal definitions take Dagster's fast path, differing ones load every key.
videos = dg.DynamicPartitionsDefinition(name="videos")
