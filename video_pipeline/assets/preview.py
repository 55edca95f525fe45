"""A short silent clip of the best scenes."""

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.families import FAMILY_INS, plain
from video_pipeline.assets.stage import OWNERS, RETRY, stage
from video_pipeline.assets.thumbnails import GROUP, PREVIEW_BYTES
from video_pipeline.assets.values import Renditions
from video_pipeline.media import pictures
from video_pipeline.media import preview as previewing
from video_pipeline.media.image_products import Preview, Thumbnails
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import ContentAnalysis, Track
from video_pipeline.partitions import videos
from video_pipeline.resources import MediaResource, ProgressResource, StoreResource


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"ffmpeg", "h264", "webp"},
    owners=OWNERS,
    code_version=previewing.VERSION,
    retry_policy=RETRY,
    ins=FAMILY_INS,
)
def preview(
    context: dg.AssetExecutionContext,
    encoding_plan: EncodingPlan,
    content_analysis: ContentAnalysis,
    thumbnails: Thumbnails,
    h264: Renditions,
    hevc: Renditions,
    vp9: Renditions,
    av1: Renditions,
    media: MediaResource,
    store: StoreResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[Preview]:
    """A few seconds of the best scenes, as an MP4 without sound and as an animated WebP. Nothing if the preset asks for
    none."""
    if encoding_plan.images.preview is None:
        with stage(context, progress):
            return dg.MaterializeResult(value=Preview(), metadata={"note": "the preset asks for no preview"})
    with stage(context, progress) as step:
        tracks = plain(encoding_plan, h264, hevc, vp9, av1).tracks
        track = next(track for track in tracks if track.name == previewing.rung_of(encoding_plan).name)
        made = _make(encoding_plan, content_analysis, thumbnails, track, media, store)
        seconds = step.seconds
    assert made.animation is not None
    first = pictures.preview(store.objects.local(made.animation.key), PREVIEW_BYTES)
    rate = encoding_plan.rate
    rows: list[dict[str, show.Cell]] = [
        {"start s": round(float(start / rate), 3), "end s": round(float(end / rate), 3)} for start, end in made.parts
    ]
    return dg.MaterializeResult(
        value=made,
        metadata={
            "first picture": show.picture(first, "first picture"),
            "parts": show.table(rows),
            "size": f"{made.width}x{made.height}",
            "clip_seconds": made.seconds,
            "clip_bytes": made.clip.size if made.clip else 0,
            "animation_bytes": made.animation.size,
            "seconds": seconds,
        },
    )


def _make(
    plan: EncodingPlan,
    analysis: ContentAnalysis,
    thumbnails: Thumbnails,
    track: Track,
    media: MediaResource,
    store: StoreResource,
) -> Preview:
    key = previewing.checkpoint_key(media.tools, track, analysis.scenes, thumbnails, plan)
    made = store.checkpoints.get("preview", key, Preview)
    if made is None:
        with media.scratch() as scratch:
            rung = previewing.rung_of(plan)
            path = store.objects.local(track.file.key)
            made = previewing.make(media.tools, path, rung, analysis.scenes, thumbnails, plan, scratch)
            for name, file in made.files.items():
                store.objects.put_file(file.key, scratch / name, move=True)
        store.checkpoints.put("preview", key, made)
    return made
