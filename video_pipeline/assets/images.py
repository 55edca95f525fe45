"""Pictures: a poster, thumbnails to choose from, and the sprite sheets a player scrubs by."""

import hashlib
from pathlib import Path

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.families import FAMILY_INS, plain
from video_pipeline.assets.stage import OWNERS, RETRY, stage
from video_pipeline.assets.values import AcceptedSource, Renditions
from video_pipeline.media import contact_sheet, custom_picture
from video_pipeline.media import sprites as spriting
from video_pipeline.media import thumbnails as thumbnailing
from video_pipeline.media.image_products import Score, Sprites, Thumbnails, sheet_name
from video_pipeline.media.model import Blob, EncodingPlan
from video_pipeline.media.pictures import preview
from video_pipeline.media.products import ContentAnalysis
from video_pipeline.partitions import videos
from video_pipeline.resources import IndexResource, MediaResource, ProgressResource, StoreResource
from video_pipeline.stores.objects import ObjectStore

GROUP = "images"
SPRITES_VERSION = "2"
SPRITE_FIELDS = {"tile_width", "columns", "rows", "interval", "max_sheet_bytes"}
"""Of the plan, by which sheets differ."""
NOT_OF_THUMBNAILS = {*SPRITE_FIELDS, "max_sheets", "preview"}
THUMBNAILS_VERSION = "2"
PREVIEW_BYTES = 40_000
"""A picture in metadata is a row of the event log: small."""
MOST_REJECTED = 20
"""Rows of the table of frames that are not offered, spread over all of them."""


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"jpeg"},
    owners=OWNERS,
    code_version=THUMBNAILS_VERSION,
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
        large, small = tracks[0].file, tracks[-1].file
        parts = [THUMBNAILS_VERSION, source.file.blob.sha256, large.sha256, small.sha256]
        parts += [content_analysis.model_dump_json(include={"scenes", "black"})]
        kept = index.custom_thumbnails(store)
        brought = kept.get(context.partition_key)
        parts += [brought.blob.sha256, brought.name] if brought else []
        key = _key([*parts, encoding_plan.images.model_dump_json(exclude=NOT_OF_THUMBNAILS)], encoding_plan)
        made = store.checkpoints.get("thumbnails", key, Thumbnails)
        if made is None:
            with media.scratch() as scratch:
                made = thumbnailing.make(
                    media.tools,
                    store.objects.local(small.key),
                    store.objects.local(large.key),
                    content_analysis.scenes,
                    encoding_plan,
                    scratch,
                    poster_stem="chosen" if brought else "poster",
                    source=store.original(source.file),
                    black=content_analysis.black,
                )
                if brought:
                    size, path = thumbnailing.poster_size(encoding_plan), kept.path(brought, scratch)
                    custom = custom_picture.make(media.tools, brought, path, encoding_plan.images, size, scratch)
                    made = made.model_copy(update={"custom": custom})
                for name, file in made.files.items():
                    store.objects.put_file(file.key, scratch / name)
                store.checkpoints.put("thumbnails", key, made)
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


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"jpeg", "webvtt"},
    owners=OWNERS,
    code_version=SPRITES_VERSION,
    retry_policy=RETRY,
    ins=FAMILY_INS,
)
def sprites(
    context: dg.AssetExecutionContext,
    encoding_plan: EncodingPlan,
    h264: Renditions,
    hevc: Renditions,
    vp9: Renditions,
    av1: Renditions,
    media: MediaResource,
    store: StoreResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[Sprites]:
    """Small pictures of the whole video on a few sheets, with a WebVTT file that says which part shows which time; both
    manifests say it too."""
    with stage(context, progress) as step:
        small = plain(encoding_plan, h264, hevc, vp9, av1).tracks[-1].file
        wanted = encoding_plan.images.model_dump_json(include=SPRITE_FIELDS)
        key = _key([SPRITES_VERSION, small.sha256, wanted], encoding_plan)
        made = store.checkpoints.get("sprites", key, Sprites)
        if made is None:
            with media.scratch() as scratch:
                made = spriting.make(media.tools, store.objects.local(small.key), encoding_plan, scratch)
                for number, sheet in enumerate(made.sheets):
                    store.objects.put_file(sheet.key, scratch / sheet_name(number))
                store.checkpoints.put("sprites", key, made)
        seconds = step.seconds
        contact = preview(_first(made.sheets, store.objects), PREVIEW_BYTES)
    return dg.MaterializeResult(
        value=made,
        metadata={
            "contact sheet": show.picture(contact, "contact sheet"),
            "tiles": made.tiles,
            "sheets": len(made.sheets),
            "bytes": sum(sheet.size for sheet in made.sheets),
            "interval_seconds": float(made.interval),
            "quality": made.quality,
            "seconds": seconds,
        },
    )


def _rejected(made: Thumbnails, plan: EncodingPlan) -> dict[str, show.Metadata]:
    """How many frames are not offered, and why some of them are not."""
    left = made.rejected
    some = [left[n * len(left) // MOST_REJECTED] for n in range(MOST_REJECTED)] if len(left) > MOST_REJECTED else left
    rows: list[dict[str, show.Cell]] = [
        {"frame": one.frame, "time s": round(float(one.frame / plan.rate), 3), "why": one.why} for one in some
    ]
    return {"rejected": len(left), **({"why rejected": show.table(rows)} if rows else {})}


def _key(parts: list[str], plan: EncodingPlan) -> str:
    text = "\n".join([*parts, str(plan.rate), str(plan.frames)])
    return hashlib.sha256(text.encode()).hexdigest()


def _first(sheets: tuple[Blob, ...], objects: ObjectStore) -> Path:
    return objects.local(sheets[0].key)
