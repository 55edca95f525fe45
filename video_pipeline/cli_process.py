"""`video-pipeline process`: the whole graph for one video, here and now, without Redis or daemon."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import click

from video_pipeline import presets, settings
from video_pipeline.cli_options import job_options
from video_pipeline.errors import (
    Cancelled,
    CheckFailed,
    DependencyError,
    DiskFull,
    Interrupted,
    PipelineError,
    SourceError,
    TransientError,
    classify,
)
from video_pipeline.home import prepare
from video_pipeline.identity import check_video_id, new_video_id
from video_pipeline.intake import spelled
from video_pipeline.intake.job import parse
from video_pipeline.media import tools
from video_pipeline.media.options import Options
from video_pipeline.stores.budget import working
from video_pipeline.stores.index import explain
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.sources import local_path, paths_beside

# The default starts children to follow the output; they share our terminal and answer Ctrl-C with a traceback.
NO_COMPUTE_LOGS = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}


@click.command()
@click.argument("source")
@click.option("--preset", help="What to make; `video-pipeline presets` lists them. Default: web.")
@click.option("--video-id", help="1 to 63 of a-z, 0-9 and '-'. Default: a new one.")
@click.option("--title", help="For people and the search.")
@job_options
@click.option("--json", "quiet", is_flag=True, help="No progress, only the result.")
def process(
    source: str, preset: str | None, video_id: str | None, title: str | None, quiet: bool, **asked: Any
) -> None:
    """Process SOURCE here and print one JSON line: videoId, releaseId and the release's directory."""
    ours = settings.load()
    options = parse({"source": "/", **spelled.fields(asked)}, None).options
    video_id = check_video_id(video_id) if video_id is not None else new_video_id()
    preset = preset or ours.default_preset
    presets.load(preset, ours.presets_dir)
    path = local_path(source).absolute()
    paths_beside(options)
    tools.find(ffmpeg=ours.ffmpeg, ffprobe=ours.ffprobe, packager=ours.packager)
    prepare(ours)
    release = run(ours, video_id, source=str(path), preset=preset, title=title, options=options, quiet=quiet)
    print(
        json.dumps(
            {
                "videoId": video_id,
                "releaseId": release,
                "release": str(ours.store / "videos" / video_id / "releases" / release),
            }
        )
    )


def run(
    ours: settings.Settings,
    video_id: str,
    *,
    source: str,
    preset: str,
    title: str | None = None,
    options: Options | None = None,
    quiet: bool = True,
) -> str:
    """Runs the job in this process and returns the id of the published release.

    Raises:
        PipelineError: what stopped it, as the failed step had it.
    """
    import dagster as dg  # two seconds, and not needed to refuse a bad source
    from dagster._core.instance import InstanceRef
    from sqlalchemy.exc import DatabaseError

    from video_pipeline.definitions import defs
    from video_pipeline.execution.tags import REQUEST_TAG, VIDEO_TAG
    from video_pipeline.partitions import videos
    from video_pipeline.progress.reporter import NullReporter, TextReporter
    from video_pipeline.resources import IndexResource, ProgressResource

    class TerminalProgress(ProgressResource):
        """Progress lines on standard error."""

        def reporter(self, **_: Any) -> NullReporter | TextReporter:
            return NullReporter() if quiet else text

    # An interrupted connection is thrown away; that needs no traceback.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    text = TextReporter(sys.stderr)
    request = IndexResource().requests.add(
        video_id=video_id, source=source, preset=preset, title=title, options=options
    )
    reference = InstanceRef.from_dir(str(ours.dagster_home), overrides={"compute_logs": NO_COMPUTE_LOGS})
    try:
        with dg.DagsterInstance.from_ref(reference) as instance, working(LocalStore(ours.store), ours.checkpoint_bytes):
            instance.add_dynamic_partitions(str(videos.name), [video_id])
            result = defs.resolve_job_def("process_video").execute_in_process(
                instance=instance,
                partition_key=video_id,
                tags={REQUEST_TAG: str(request.version), VIDEO_TAG: video_id},
                resources={"progress": TerminalProgress()},
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
    # Of Dagster's own files: a step's errors are in the result.
    except DatabaseError as error:
        raise explain(ours.dagster_home, str(error.orig)) or error from None
    except OSError as error:
        raise classify(error) from None
    if not result.success:
        raise first_failure(result, ours)
    release: str = result.output_for_node("release").release_id
    return release


def first_failure(result: Any, ours: settings.Settings) -> PipelineError:
    """The error of the step that failed first, as one of ours."""
    from video_pipeline.intake.runs import root_cause, step_error

    failed = next((event for event in result.all_events if event.is_step_failure), None)
    if failed is None:
        found = [event.job_failure_data.error for event in result.all_events if event.is_run_failure]
        kind, sentence = root_cause(found[0] if found else None)
        if kind is Interrupted:
            return Cancelled(sentence)
        return TransientError(f"the run failed outside of its steps: {sentence}")
    error = step_error(failed.event_specific_data)
    if error.error_class == "cancelled" or error.code == Interrupted.code:
        return Cancelled(error.sentence)
    if error.code == DiskFull.code:
        # A child does not tell which disk.
        return DiskFull(f"{error.sentence} (state in {ours.home}, temporary files in {ours.scratch})")
    if error.error_class == "permanent":
        # Output that is not as planned is our fault, not the source's.
        return CheckFailed(error.sentence) if error.code == CheckFailed.code else SourceError(error.sentence)
    return DependencyError(error.sentence) if error.error_class == "dependency" else TransientError(error.sentence)
