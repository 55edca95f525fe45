"""One clip from the request to the published release, in a process of its own: prints what became of it as JSON."""

from __future__ import annotations

import json
import sys

from video_pipeline import presets, settings
from video_pipeline.cli_process import run
from video_pipeline.errors import PipelineError
from video_pipeline.home import prepare
from video_pipeline.stores.sources import local_path


def main(source: str, preset: str) -> None:
    try:
        ours = prepare(settings.load())
        presets.load(preset, ours.presets_dir)
        release = run(ours, "clip", source=str(local_path(source).absolute()), preset=preset)
    except PipelineError as error:
        told = {"words": str(error), "class": type(error).__name__}
    else:
        told = {"release": str(ours.store / "videos" / "clip" / "releases" / release)}
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:3])
