"""A poster, and thumbnails to choose from."""

import hashlib
from collections.abc import Sequence

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.families import FAMILY_INS, plain
from video_pipeline.assets.stage import OWNERS, RETRY, stage
from video_pipeline.assets.values import AcceptedSource, Renditions
from video_pipeline.media import contact_sheet, custom_picture
from video_pipeline.media import thumbnails as thumbnailing
from video_pipeline.media.image_products import CustomPicture, Score, Thumbnails
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.pictures import preview
from video_pipeline.media.products import ContentAnalysis, Track
from video_pipeline.partitions import videos
from video_pipeline.resources import IndexResource, MediaResource, ProgressResource, StoreResource

GROUP = "images"
CODE_VERSION = "3"
NOT_HERE = {"tile_width", "columns", "rows", "interval", "max_sheet_bytes", "max_sheets", "preview"}
"""Of what is planned, for the sprites and the preview alone."""
PREVIEW_BYTES = 40_000
"""A picture in metadata is a row of the event log: small."""
MOST_REJECTED = 20
"""Rows of the table of frames that are not offered, spread over all of them."""


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"jpeg"},
    owners=OWNERS,
    code_version=CODE_VERSION,
    retry_policy=RETRY,
    ins=FAMILY_INS,
)
def thumbnails(
    context: dg.AssetExecutionContext,
    source: AcceptedSource,
    encoding_plan: EncodingPlan,
    content_analysis: ContentAnalysis,
    h264: Renditions,
    hevc: Renditions,
    vp9: Renditions,
    av1: Renditions,
    media: MediaResource,
    store: StoreResource,
    index: IndexResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[Thumbnails]:
    """The poster and the candidates an editor chooses from: sharp, well exposed frames from inside the scenes, no
    two alike, taken from the source; the frames that the request asks for; and the picture that is kept for this video
    as its poster."""
    with stage(context, progress) as step:
        tracks = plain(encoding_plan, h264, hevc, vp9, av1).tracks
        made = _of_video(source, encoding_plan, content_analysis, tracks, media, store)
        custom = _brought(context.partition_key, encoding_plan, media, store, index)
        made = made.with_custom(custom) if custom else made
        seconds = step.seconds
        shown = made.custom or made.poster
        files = {picture.name: store.objects.local(picture.file.key) for picture in made.all}
        poster = preview(store.objects.local(shown.file.key), PREVIEW_BYTES)
        sheet = contact_sheet.small(contact_sheet.titled(made, files), PREVIEW_BYTES)
    rows: list[dict[str, show.Cell]] = [
        {
            "file": t.name,
            "rank": t.rank,
            "time s": round(t.time, 3),
            "size": f"{t.width}x{t.height}",
            "score": round(t.score, 3),
            "why": t.why,
        }
        for t in made.all
    ]
    # In a table of its own: with so many columns there would be no room for words.
    parts_of: list[dict[str, show.Cell]] = [
        {
            "file": t.name,
            **({name: round(part, 3) for name, part in t.parts} if t.parts else dict.fromkeys(Score.model_fields)),
        }
        for t in made.all
    ]
    scores = [t.score for t in (made.poster, *made.candidates) if t.rank]
    return dg.MaterializeResult(
        value=made,
        metadata={
            "poster": show.picture(poster, "poster"),
            "contact sheet": show.picture(sheet, "contact sheet"),
            "table": show.table(rows),
            "parts of the score": show.table(parts_of),
            **_rejected(made, encoding_plan),
            **({"best_score": max(scores), "mean_score": sum(scores) / len(scores)} if scores else {}),
            "candidates": len(made.candidates),
            "asked_for": len(made.at),
            **({"brought": made.custom.source_name} if made.custom else {}),
            "bytes": sum(file.size for file in made.files.values()),
            "seconds": seconds,
        },
    )


def _of_video(
    source: AcceptedSource,
    plan: EncodingPlan,
    analysis: ContentAnalysis,
    tracks: Sequence[Track],
    media: MediaResource,
    store: StoreResource,
) -> Thumbnails:
    large, small = tracks[0].file, tracks[-1].file
    parts = [CODE_VERSION, source.file.blob.sha256, large.sha256, small.sha256, str(plan.rate), str(plan.frames)]
    parts += [analysis.model_dump_json(include={"scenes", "black"}), plan.images.model_dump_json(exclude=NOT_HERE)]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    made = store.checkpoints.get("thumbnails", key, Thumbnails)
    if made is None:
        with media.scratch() as scratch:
            made = thumbnailing.make(
                media.tools,
                store.objects.local(small.key),
                store.objects.local(large.key),
                analysis.scenes,
                plan,
                scratch,
                source=store.original(source.file),
                black=analysis.black,
            )
            for name, file in made.files.items():
                store.objects.put_file(file.key, scratch / name)
        store.checkpoints.put("thumbnails", key, made)
    return made


def _brought(
    video_id: str, plan: EncodingPlan, media: MediaResource, store: StoreResource, index: IndexResource
) -> CustomPicture | None:
    """In the plan's shape; None if nobody brought one."""
    kept = index.custom_thumbnails(store)
    file = kept.get(video_id)
    if file is None:
        return None
    size = thumbnailing.poster_size(plan)
    parts = [CODE_VERSION, file.blob.sha256, file.name, str(size), plan.images.model_dump_json(exclude=NOT_HERE)]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    made = store.checkpoints.get("poster", key, CustomPicture)
    if made is None:
        with media.scratch() as scratch:
            made = custom_picture.make(media.tools, file, kept.path(file, scratch), plan.images, size, scratch)
            for form in made.forms:
                store.objects.put_file(form.file.key, scratch / form.name)
        store.checkpoints.put("poster", key, made)
    return made


def _rejected(made: Thumbnails, plan: EncodingPlan) -> dict[str, show.Metadata]:
    """How many frames are not offered, and why some of them are not."""
    left = made.rejected
    some = [left[n * len(left) // MOST_REJECTED] for n in range(MOST_REJECTED)] if len(left) > MOST_REJECTED else left
    rows: list[dict[str, show.Cell]] = [
        {"frame": one.frame, "time s": round(float(one.frame / plan.rate), 3), "why": one.why} for one in some
    ]
    return {"rejected": len(left), **({"why rejected": show.table(rows)} if rows else {})}
