"""Proves what was made and publishes it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.analysis import sound_files, suggestion
from video_pipeline.assets.families import FAMILY_INS, plain
from video_pipeline.assets.picture_list import listed
from video_pipeline.assets.stage import OWNERS, RETRY, failure, stage
from video_pipeline.assets.values import AcceptedSource, AudioTracks, Release, Renditions
from video_pipeline.checks import QUALITY_CHECKS, result_of
from video_pipeline.errors import CheckFailed
from video_pipeline.media import manifests, quality
from video_pipeline.media.image_products import Preview, Sprites, Thumbnails, sheet_name
from video_pipeline.media.model import Blob, EncodingPlan
from video_pipeline.media.products import ContentAnalysis, Download, QualityReport, Streams, Texts
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.tools import builds
from video_pipeline.partitions import videos
from video_pipeline.resources import IndexResource, MediaResource, ProgressResource, StoreResource
from video_pipeline.stores.release_model import Draft, ReleasePreset, ReleaseSource
from video_pipeline.stores.releases import publish
from video_pipeline.stores.requests import VideoRequest

GROUP = "publish"
CODE_VERSION = "1"


def _pictures(thumbnails: Thumbnails, sprites: Sprites, preview: Preview) -> dict[str, Blob]:
    """Path inside the release to picture."""
    shown = {f"thumbnails/{name}": file for name, file in thumbnails.files.items()}
    shown |= {f"preview/{name}": file for name, file in preview.files.items()}
    return shown | {f"sprites/{sheet_name(n)}": sheet for n, sheet in enumerate(sprites.sheets)}


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"ffmpeg"},
    owners=OWNERS,
    code_version=CODE_VERSION,
    retry_policy=RETRY,
    check_specs=QUALITY_CHECKS,
    ins={**FAMILY_INS, "audio": dg.AssetIn(["renditions", "audio"])},
)
def quality_report(
    context: dg.AssetExecutionContext,
    source: AcceptedSource,
    content_analysis: ContentAnalysis,
    encoding_plan: EncodingPlan,
    h264: Renditions,
    hevc: Renditions,
    vp9: Renditions,
    av1: Renditions,
    audio: AudioTracks,
    streams: Streams,
    thumbnails: Thumbnails,
    sprites: Sprites,
    preview: Preview,
    subtitles: Texts,
    download: Download,
    media: MediaResource,
    store: StoreResource,
    progress: ProgressResource,
) -> Iterator[dg.MaterializeResult[QualityReport]]:
    """Reads everything again and compares it with the plan: decodes each file to its end, counts frames, finds key
    frames, follows every reference, weighs every stated bit rate. One failed check and nothing is published."""
    with stage(context, progress) as step:
        shown = plain(encoding_plan, h264, hevc, vp9, av1).shown
        assert shown is not None, "every plan has a family in SDR"
        chapters = suggestion(content_analysis, encoding_plan)
        digest = quality.subject_digest(
            encoding_plan, streams, thumbnails, sprites, shown, subtitles, download, chapters, preview
        )
        key = hashlib.sha256(f"{CODE_VERSION}\n{digest}".encode()).hexdigest()
        report = store.checkpoints.get("quality", key, QualityReport)
        if report is None:
            tracks = [track for made in (h264, hevc, vp9, av1, audio) for track in made.tracks]
            pictures = _pictures(thumbnails, sprites, preview)
            with media.scratch() as scratch:
                report = quality.inspect(
                    media.tools,
                    store.objects.local(source.file.blob.key),
                    encoding_plan,
                    streams,
                    {file.name: store.objects.local(file.file.key) for file in streams.media},
                    thumbnails,
                    sprites,
                    {Path(path).name: store.objects.local(blob.key) for path, blob in pictures.items()},
                    shown,
                    subtitles,
                    download,
                    store.objects.local(download.file.key) if download.file else None,
                    scratch,
                    {track.name: store.objects.local(track.file.key) for track in tracks},
                    media.content_key(encoding_plan, context.partition_key),
                    store.objects.local(thumbnails.custom.source.key) if thumbnails.custom else None,
                    chapters,
                    preview,
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
    ins=FAMILY_INS,
)
def release(
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
    sprites: Sprites,
    preview: Preview,
    subtitles: Texts,
    download: Download,
    quality_report: QualityReport,
    media: MediaResource,
    store: StoreResource,
    index: IndexResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[Release]:
    """The published files. They are complete before the pointer names them, so a player sees the old release or this
    one, never a mixture."""
    with stage(context, progress):
        shown = plain(encoding_plan, h264, hevc, vp9, av1).shown
        assert shown is not None, "every plan has a family in SDR"
        chapters = suggestion(content_analysis, encoding_plan)
        digest = quality.subject_digest(
            encoding_plan, streams, thumbnails, sprites, shown, subtitles, download, chapters, preview
        )
        if not quality_report.passed or quality_report.subject_digest != digest:
            raise CheckFailed("the quality report is not about these files, or did not pass; launch quality_report+")
        request = index.requests.get(context.partition_key, source.request)
        assert request is not None, "encoding_plan read it"
        draft = Draft(
            video_id=context.partition_key,
            request=_asked(request),
            source=ReleaseSource(sha256=source.file.blob.sha256, size=source.file.blob.size, name=source.file.name),
            preset=ReleasePreset(name=encoding_plan.preset, digest=encoding_plan.preset_digest),
            encoders={**builds(media.tools), **{one.family: one.codec for one in encoding_plan.encoders}},
            files={
                **{path: text.encode() for path, text in streams.texts.items()},
                **_pictures(thumbnails, sprites, preview),
                "sprites/sprites.vtt": sprites.vtt.encode(),
                **{path: text.encode() for path, text in subtitles.files().items()},
                **sound_files(content_analysis),
                **{path: text.encode() for path, text in chapters.items()},
                "metadata.json": _json(
                    {
                        "technical": technical_metadata.model_dump(mode="json"),
                        # Why a card was not there is the host's matter: the same content is the same release.
                        "plan": encoding_plan.model_dump(mode="json", exclude={"fallbacks": {"__all__": {"why"}}}),
                        "frame_map": shown.model_dump(mode="json"),
                        "analysis": content_analysis.model_dump(mode="json", exclude={"loudness": {"curve"}}),
                        "thumbnails": thumbnails.model_dump(mode="json"),
                        "preview": preview.model_dump(mode="json"),
                        "subtitles": subtitles.described(),
                        "custom": request.metadata,
                    }
                ),
                "quality.json": _json({"checks": [check.model_dump() for check in quality_report.checks]}),
            },
            media=[*(file.file for file in streams.media), *([download.file] if download.file else [])],
            download=download.file,
            pictures=listed(thumbnails),
        )
        pointer = publish(store.objects, draft)
        made = draft.release()
    video = f"videos/{pointer.video_id}"
    files: list[dict[str, show.Cell]] = [
        {"file": file.path.replace(file.sha256, file.sha256[:12] + "…"), "bytes": file.size, "sha256": file.sha256[:12]}
        for file in made.files
    ]
    watch = store.watch(pointer.video_id)
    dash: dict[str, show.Metadata] = {}
    if manifests.MPD in streams.texts:
        dash = {"play (DASH)": dg.MetadataValue.path(str(store.objects.local(f"{video}/manifest.mpd")))}
    return dg.MaterializeResult(
        value=Release(release_id=pointer.release_id, request=request.version),
        metadata={
            **({"watch": dg.MetadataValue.url(watch)} if watch else {}),
            "release": pointer.release_id,
            "play (HLS)": dg.MetadataValue.path(str(store.objects.local(f"{video}/master.m3u8"))),
            **dash,
            "directory": f"{video}/releases/{pointer.release_id}",
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
