"""What the index shall know of a video, from what its assets made."""

from __future__ import annotations

from collections.abc import Sequence

from video_pipeline.assets.values import Renditions
from video_pipeline.media.image_products import Preview, Thumbnails
from video_pipeline.media.model import EncodingPlan, SourceFile
from video_pipeline.media.preview import CLIP
from video_pipeline.media.products import ContentAnalysis, Download, QualityReport, Streams, Track
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.stores.requests import VideoRequest
from video_pipeline.stores.videos import RenditionRecord, VideoRecord


def video_record(
    request: VideoRequest,
    release_id: str,
    source: SourceFile,
    technical: TechnicalMetadata,
    analysis: ContentAnalysis,
    plan: EncodingPlan,
    families: Sequence[Renditions],
    streams: Streams,
    thumbnails: Thumbnails,
    report: QualityReport,
    download: Download,
    preview: Preview,
) -> VideoRecord:
    """The rows of one video."""
    width, height = technical.video.display_size
    poster = thumbnails.custom or thumbnails.poster
    renditions = _renditions(plan, families, streams)
    pixels = sum(rung.width * rung.height for rung in plan.rungs) * plan.frames
    video_bytes = sum(rendition.bytes for rendition in renditions if rendition.width)
    times = [family.encode_seconds for family in families if family.encode_seconds is not None]
    seconds = round(sum(times), 3) if times else None
    return VideoRecord(
        video_id=request.video_id,
        release_id=release_id,
        request=request.version,
        title=request.title,
        description=request.description,
        tags=request.tags,
        metadata=request.metadata,
        preset=plan.preset,
        source_name=source.name,
        source_sha256=source.blob.sha256,
        source_bytes=source.blob.size,
        container=technical.container,
        codec=technical.video.codec,
        width=width,
        height=height,
        rate=float(plan.rate),
        duration=float(plan.duration),
        loudness=analysis.loudness,
        loudness_target=plan.audio[0].loudness if plan.audio else None,
        waveform_path=f"releases/{release_id}/audio/waveform.json" if analysis.waveform else None,
        waveform_bytes=analysis.waveform.size if analysis.waveform else None,
        download_path=f"media/{download.file.sha256}.mp4" if download.file else None,
        download_bytes=download.file.size if download.file else None,
        encode_seconds=seconds,
        realtime_factor=float(plan.duration) / seconds if seconds else None,
        bytes=sum(rendition.bytes for rendition in renditions),
        bits_per_pixel=8 * video_bytes / pixels,
        renditions=renditions,
        scenes=analysis.scenes,
        thumbnails=thumbnails.all,
        custom_thumbnail=thumbnails.custom,
        poster_path=f"releases/{release_id}/thumbnails/{poster.name}",
        thumbhash=poster.thumbhash or None,
        preview_path=f"releases/{release_id}/preview/{CLIP}" if preview.clip else None,
        preview_bytes=preview.clip.size if preview.clip else None,
        checks=report.checks,
    )


def _renditions(plan: EncodingPlan, families: Sequence[Renditions], streams: Streams) -> tuple[RenditionRecord, ...]:
    tracks: dict[str, Track] = {track.name: track for family in families for track in family.tracks}
    rows = []
    for file in streams.media:
        rung = next((rung for rung in plan.rungs if rung.name == file.name), None)
        bit_rate = round(8 * file.file.size / float(plan.duration))
        track = tracks.get(file.name)
        rows.append(
            RenditionRecord(
                name=file.name,
                codec=rung.family if rung else "aac",
                encoder=plan.encoder(rung.family).codec if rung and not rung.copied else None,
                width=rung.width if rung else None,
                height=rung.height if rung else None,
                rate=float(plan.rate) if rung else None,
                bit_rate=bit_rate,
                peak_bit_rate=track.peak_bit_rate if track else bit_rate,
                bytes=file.file.size,
                sha256=file.file.sha256,
                bits_per_pixel=8 * file.file.size / (rung.width * rung.height * plan.frames) if rung else None,
            )
        )
    return tuple(rows)
