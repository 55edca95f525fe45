"""Subtitles, captions and chapters as WebVTT."""

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.ingest import GROUP
from video_pipeline.assets.stage import OWNERS, RETRY, stage
from video_pipeline.assets.values import AcceptedSource
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Texts
from video_pipeline.media.text import tracks
from video_pipeline.media.tools import build
from video_pipeline.partitions import videos
from video_pipeline.resources import MediaResource, ProgressResource, StoreResource


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"ffmpeg", "webvtt"},
    owners=OWNERS,
    code_version="1",
    retry_policy=RETRY,
)
def subtitles(
    context: dg.AssetExecutionContext,
    source: AcceptedSource,
    encoding_plan: EncodingPlan,
    media: MediaResource,
    store: StoreResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[Texts]:
    """The source's subtitles and closed captions, the files that came with it, and its chapters: all as WebVTT on the
    clock of what is published. What cannot be made into text is named, with the reason."""
    with stage(context, progress) as step:
        key = tracks.checkpoint_key(encoding_plan, build(media.tools))
        made = store.checkpoints.get("subtitles", key, Texts)
        if made is None:
            original = store.original(source.file)
            given = {file.blob.sha256: store.original(file) for file in source.sidecars}
            with media.scratch() as scratch:
                made = tracks.make(media.tools, original, encoding_plan, given, scratch)
            store.checkpoints.put("subtitles", key, made)
        seconds = step.seconds
    rows: list[dict[str, show.Cell]] = [
        {
            "file": track.path,
            "language": track.plan.language or "",
            "label": track.plan.label,
            "kind": track.plan.kind,
            "default": track.plan.default,
            "cues": track.cues,
            "from": track.plan.of,
        }
        for track in made.tracks
    ]
    left: list[dict[str, show.Cell]] = [{"track": track.name, "why": track.why} for track in made.left_out]
    return dg.MaterializeResult(
        value=made,
        metadata={
            "tracks": len(rows),
            **({"table": show.table(rows)} if rows else {"note": "there are no subtitles that can be made into text"}),
            **({"left out": show.table(left)} if left else {}),
            "chapters": len(encoding_plan.chapters),
            "seconds": seconds,
        },
    )
