"""`python -m video_pipeline` is `video-pipeline`."""

from video_pipeline.cli import main

main()
