"""Writes what was published into the index."""

import dagster as dg

from video_pipeline.assets.families import FAMILY_INS
from video_pipeline.assets.publish import CODE_VERSION, GROUP
from video_pipeline.assets.record import video_record
from video_pipeline.assets.stage import OWNERS, RETRY, stage
from video_pipeline.assets.values import AcceptedSource, Release, Renditions
from video_pipeline.media.image_products import Preview, Thumbnails
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import ContentAnalysis, Download, QualityReport, Streams
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.partitions import videos
from video_pipeline.resources import IndexResource, ProgressResource, StoreResource
from video_pipeline.stores.videos import replace_video


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"sqlite"},
    owners=OWNERS,
    code_version=CODE_VERSION,
    retry_policy=RETRY,
    ins=FAMILY_INS,
)
def metadata_index(
    context: dg.AssetExecutionContext,
    source: AcceptedSource,
    technical_metadata: TechnicalMetadata,
    content_analysis: ContentAnalysis,
    encoding_plan: EncodingPlan,
    h264: Renditions,
    hevc: Renditions,
    vp9: Renditions,
    av1: Renditions,
    streams: Streams,
    thumbnails: Thumbnails,
    preview: Preview,
    download: Download,
    quality_report: QualityReport,
    release: Release,
    store: StoreResource,
    index: IndexResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[Release]:
    """The video's rows in the index, for `video-pipeline search` and SQL: replaced together, in one transaction."""
    with stage(context, progress):
        request = index.requests.get(context.partition_key, release.request)
        assert request is not None, "encoding_plan read it"
        record = video_record(
            request,
            release.release_id,
            source.file,
            technical_metadata,
            content_analysis,
            encoding_plan,
            (h264, hevc, vp9, av1),
            streams,
            thumbnails,
            quality_report,
            download,
            preview,
        )
        current = replace_video(index.index, record, store=store.objects)
    return dg.MaterializeResult(
        value=release,
        metadata={
            "release": release.release_id,
            "is_current": current,
            "renditions": len(record.renditions),
            "scenes": len(record.scenes),
            "bytes": record.bytes,
            "duration_seconds": record.duration,
            "bits_per_pixel": round(record.bits_per_pixel or 0.0, 5),
        },
    )
