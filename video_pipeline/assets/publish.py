"""Proves what was made, publishes it, and writes it into the index."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.record import video_record
from video_pipeline.assets.stage import OWNERS, RETRY, failure, stage
from video_pipeline.assets.values import AcceptedSource, Release, Renditions
from video_pipeline.checks import QUALITY_CHECKS, result_of
from video_pipeline.errors import CheckFailed
from video_pipeline.media import quality
from video_pipeline.media.model import Blob, EncodingPlan
from video_pipeline.media.products import ContentAnalysis, QualityReport, Sprites, Streams, Texts, Thumbnails
from video_pipeline.media.sprites import sheet_name
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.tools import builds
from video_pipeline.partitions import videos
from video_pipeline.resources import IndexResource, MediaResource, ProgressResource, StoreResource
from video_pipeline.stores.objects import ObjectStore
from video_pipeline.stores.release_model import Draft, ReleasePreset, ReleaseSource
from video_pipeline.stores.releases import publish
from video_pipeline.stores.requests import VideoRequest
from video_pipeline.stores.videos import replace_video

GROUP = "publish"
CODE_VERSION = "1"


def _pictures(thumbnails: Thumbnails, sprites: Sprites) -> dict[str, Blob]:
    """Path inside the release to picture."""
    shown = {f"thumbnails/{picture.name}": picture.file for picture in thumbnails.all}
    return shown | {f"sprites/{sheet_name(n)}": sheet for n, sheet in enumerate(sprites.sheets)}


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"ffmpeg"},
    owners=OWNERS,
    code_version=CODE_VERSION,
    retry_policy=RETRY,
    check_specs=QUALITY_CHECKS,
    ins={"h264": dg.AssetIn(["renditions", "h264"])},
)
def quality_report(
    context: dg.AssetExecutionContext,
    encoding_plan: EncodingPlan,
    h264: Renditions,
    streams: Streams,
    thumbnails: Thumbnails,
    sprites: Sprites,
    subtitles: Texts,
    media: MediaResource,
    store: StoreResource,
    progress: ProgressResource,
) -> Iterator[dg.MaterializeResult[QualityReport]]:
    """Reads everything again and compares it with the plan: decodes each file to its end, counts frames, finds key
    frames, follows every reference, weighs every stated bit rate. One failed check and nothing is published."""
    with stage(context, progress) as step:
        assert h264.shown is not None, "every plan has H.264"
        digest = quality.subject_digest(encoding_plan, streams, thumbnails, sprites, h264.shown, subtitles)
        key = hashlib.sha256(f"{CODE_VERSION}\n{digest}".encode()).hexdigest()
        report = store.checkpoints.get("quality", key, QualityReport)
        if report is None:
            report = quality.inspect(
                media.tools,
                encoding_plan,
                streams,
                {file.name: store.objects.local(file.file.key) for file in streams.media},
                thumbnails,
                sprites,
                {Path(path).name: store.objects.local(b.key) for path, b in _pictures(thumbnails, sprites).items()},
                h264.shown,
                subtitles,
            )
            if report.passed:
                store.checkpoints.put("quality", key, report)
        seconds = step.seconds
    failed = [check for check in report.checks if not check.passed and not check.warning]
    warnings = sum(check.warning for check in report.checks)
    rows: list[dict[str, show.Cell]] = [
        {"check": check.name, "passed": check.passed, "measured": check.measured} for check in report.checks
    ]
    yield dg.MaterializeResult(
        value=report,
        check_results=[result_of(check) for check in report.checks],
        metadata={"table": show.table(rows), "failed": len(failed), "warnings": warnings, "seconds": seconds},
    )
    if failed:
        # A red run, not a green one with steps left out.
        raise failure(CheckFailed("; ".join(f"check {check.name} failed: {check.measured}" for check in failed)))


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"file"},
    owners=OWNERS,
    code_version=CODE_VERSION,
    retry_policy=RETRY,
    ins={"h264": dg.AssetIn(["renditions", "h264"])},
)
def release(
    context: dg.AssetExecutionContext,
    source: AcceptedSource,
    technical_metadata: TechnicalMetadata,
    content_analysis: ContentAnalysis,
    encoding_plan: EncodingPlan,
    h264: Renditions,
    streams: Streams,
    thumbnails: Thumbnails,
    sprites: Sprites,
    subtitles: Texts,
    quality_report: QualityReport,
    media: MediaResource,
    store: StoreResource,
    index: IndexResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[Release]:
    """The published files. They are complete before the pointer names them, so a player sees the old release or this
    one, never a mixture."""
    with stage(context, progress):
        assert h264.shown is not None, "every plan has H.264"
        digest = quality.subject_digest(encoding_plan, streams, thumbnails, sprites, h264.shown, subtitles)
        if not quality_report.passed or quality_report.subject_digest != digest:
            raise CheckFailed("the quality report is not about these files, or did not pass; launch quality_report+")
        request = index.requests.get(context.partition_key, source.request)
        assert request is not None, "encoding_plan read it"
        draft = Draft(
            video_id=context.partition_key,
            request=_asked(request),
            source=ReleaseSource(sha256=source.file.blob.sha256, size=source.file.blob.size, name=source.file.name),
            preset=ReleasePreset(name=encoding_plan.preset, digest=encoding_plan.preset_digest),
            encoders=builds(media.tools),
            files={
                **{path: text.encode() for path, text in streams.texts.items()},
                **_pictures(thumbnails, sprites),
                "sprites/sprites.vtt": sprites.vtt.encode(),
                **{path: text.encode() for path, text in subtitles.files().items()},
                "metadata.json": _json(
                    {
                        "technical": technical_metadata.model_dump(mode="json"),
                        "plan": encoding_plan.model_dump(mode="json"),
                        "frame_map": h264.shown.model_dump(mode="json"),
                        "analysis": content_analysis.model_dump(mode="json"),
                        "thumbnails": thumbnails.model_dump(mode="json"),
                        "subtitles": subtitles.described(),
                        "custom": request.metadata,
                    }
                ),
                "quality.json": _json({"checks": [check.model_dump() for check in quality_report.checks]}),
            },
            media=[file.file for file in streams.media],
        )
        pointer = publish(store.objects, draft)
        made = draft.release()
    directory = f"videos/{pointer.video_id}/releases/{pointer.release_id}"
    files: list[dict[str, show.Cell]] = [
        {"file": file.path.replace(file.sha256, file.sha256[:12] + "…"), "bytes": file.size, "sha256": file.sha256[:12]}
        for file in made.files
    ]
    watch = store.watch(pointer.video_id)
    return dg.MaterializeResult(
        value=Release(release_id=pointer.release_id, request=request.version),
        metadata={
            **({"watch": dg.MetadataValue.url(watch)} if watch else {}),
            "release": pointer.release_id,
            "play (HLS)": dg.MetadataValue.path(str(_shown(store.objects, pointer.video_id, "master.m3u8"))),
            "play (DASH)": dg.MetadataValue.path(str(_shown(store.objects, pointer.video_id, "manifest.mpd"))),
            "directory": directory,
            "files": show.table(files),
            "bytes": sum(file.size for file in made.files),
            "pointer_sequence": pointer.sequence,
        },
    )


def _asked(request: VideoRequest) -> dict[str, Any]:
    fields = ("source", "preset", "title", "description", "tags", "metadata")
    return {**request.model_dump(mode="json", include=set(fields)), **request.options.data()}


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _shown(objects: ObjectStore, video_id: str, name: str) -> Path:
    return objects.local(f"videos/{video_id}/{name}")


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"sqlite"},
    owners=OWNERS,
    code_version=CODE_VERSION,
    retry_policy=RETRY,
    ins={"h264": dg.AssetIn(["renditions", "h264"])},
)
def metadata_index(
    context: dg.AssetExecutionContext,
    source: AcceptedSource,
    technical_metadata: TechnicalMetadata,
    content_analysis: ContentAnalysis,
    encoding_plan: EncodingPlan,
    h264: Renditions,
    streams: Streams,
    thumbnails: Thumbnails,
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
            h264,
            streams,
            thumbnails,
            quality_report,
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
