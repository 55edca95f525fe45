"""The media engine: a plain library over ffmpeg and Shaka Packager. It knows no Dagster, no Redis and no S3."""
