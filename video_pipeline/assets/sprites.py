"""The sprite sheets a player scrubs by."""

import hashlib
from pathlib import Path

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.families import FAMILY_INS, plain
from video_pipeline.assets.stage import OWNERS, RETRY, stage
from video_pipeline.assets.thumbnails import GROUP, PREVIEW_BYTES
from video_pipeline.assets.values import Renditions
from video_pipeline.media import sprites as spriting
from video_pipeline.media.image_products import Sprites, sheet_name
from video_pipeline.media.model import Blob, EncodingPlan
from video_pipeline.media.pictures import preview
from video_pipeline.partitions import videos
from video_pipeline.resources import MediaResource, ProgressResource, StoreResource
from video_pipeline.stores.objects import ObjectStore

CODE_VERSION = "2"
FIELDS = {"tile_width", "columns", "rows", "interval", "max_sheet_bytes"}
"""Of what is planned, by which sheets differ."""


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"jpeg", "webvtt"},
    owners=OWNERS,
    code_version=CODE_VERSION,
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
        wanted = encoding_plan.images.model_dump_json(include=FIELDS)
        parts = [CODE_VERSION, small.sha256, wanted, str(encoding_plan.rate), str(encoding_plan.frames)]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
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


def _first(sheets: tuple[Blob, ...], objects: ObjectStore) -> Path:
    return objects.local(sheets[0].key)
