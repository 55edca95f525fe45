"""The Dagster graph: one partition per video, one run for all assets. Glue only; the work is done by `media` and
`stores`."""
