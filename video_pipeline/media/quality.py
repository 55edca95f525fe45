"""The quality report: everything that must hold before a release is published."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from video_pipeline.media.checks import downloads, pictures, source, tracks
from video_pipeline.media.checks.agreement import same_pictures
from video_pipeline.media.checks.authoring import authoring
from video_pipeline.media.checks.bandwidth import bandwidth
from video_pipeline.media.checks.colour import colour
from video_pipeline.media.checks.descriptions import descriptions
from video_pipeline.media.checks.digests import digests
from video_pipeline.media.checks.floor import vmaf_floor
from video_pipeline.media.checks.preview import preview as preview_clip
from video_pipeline.media.checks.protection import protection, unlock
from video_pipeline.media.checks.published import as_published
from video_pipeline.media.checks.reading import read
from video_pipeline.media.checks.references import references
from video_pipeline.media.checks.shown import picture_times
from video_pipeline.media.checks.sound import sound_times
from video_pipeline.media.checks.subtitles import subtitles
from video_pipeline.media.checks.tiles import sprite_tiles
from video_pipeline.media.image_products import Preview, Sprites, Thumbnails
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Download, FrameMap, QualityReport, Streams, Texts
from video_pipeline.media.protection import ContentKey
from video_pipeline.media.tools import Tools

VERSION = "11"
"""Raise it when a check becomes stricter: reports of an older version no longer count."""
NO_PREVIEW = Preview()
CHECKS = {
    "frame_times": "Every frame shows the picture that the source shows then.",
    "damage": "All pictures and sound of the source decoded; a warning says how much did not, and where.",
    "decodes": "Every packaged file decodes to its end without an error.",
    "frame_count": "Every rendition has the planned number of frames.",
    "duration": "Every rendition lasts as long as the plan.",
    "key_frames": "Key frames lie on the grid and are equal in all renditions; segments start on it.",
    "track_ends": "Sound and pictures begin at 0 and end within 50 ms of their planned ends.",
    "same_pictures": "Every rendition shows the same pictures at its key frames.",
    "colour": "Every rendition's colours are those its tags and the manifests name.",
    "vmaf_floor": "Every rung looks as good as the preset wants, measured on short parts; if it wants that at all.",
    "sound_times": "Every sound is the source's at its time, within 10 ms.",
    "references": "Every reference of every manifest exists with the right length.",
    "descriptions": "Both manifests describe every track as the plan and its file have it.",
    "authoring": "Both manifests keep Apple's authoring rules and DASH-IF's interoperability points.",
    "bandwidth": "Every stated bit rate is within 10 % of the measured one.",
    "sprite_tiles": "Sprite sheets hold the planned tiles; WebVTT, HLS and DASH say the same of them, up to the end.",
    "picture_times": "Every sprite tile and thumbnail shows the frame of its time, or the picture that was brought.",
    "subtitles": "Every text track is there or named as left out, is WebVTT, and its cues lie inside the video.",
    "not_empty": "Nothing is empty; pictures are of the stated size and format, and all files of one look the same.",
    "digests": "Every file is, byte for byte, the one that was made.",
    "download": "The MP4 for download is the planned rung with its sound, decodes, and has its index in front.",
    "preview": "The preview clip is planned frames of the video without sound, as MP4 and as animated WebP.",
    "protection": "What shall be encrypted is, all of it, and the right key alone gives the encoder's packets.",
}


def inspect(
    tools: Tools,
    original: Path,
    plan: EncodingPlan,
    streams: Streams,
    media: Mapping[str, Path],
    thumbnails: Thumbnails,
    sprites: Sprites,
    images: Mapping[str, Path],
    shown: FrameMap,
    texts: Texts,
    download: Download,
    saved: Path | None,
    scratch: Path,
    encoded: Mapping[str, Path],
    key: ContentKey | None = None,
    brought: Path | None = None,
    suggested: Mapping[str, str] | None = None,
    preview: Preview = NO_PREVIEW,
) -> QualityReport:
    """Reads everything again and compares it with the plan. A fault is a failed check, never an exception.

    Args:
        original: the source's file.
        shown: which pictures of the source the frames show.
        media: track name to its packaged file.
        images: picture name (poster.jpg, 01.jpg, sheet-000.jpg, preview.mp4 ...) to its file.
        saved: the MP4 for download, if there is one.
        scratch: a directory for temporary files.
        encoded: track name to what the encoder wrote.
        key: of a plan with protection.
        brought: the custom picture as it was brought, if there is one.
        suggested: path to WebVTT that was made from the pictures.
    """
    with TemporaryDirectory(dir=scratch) as name:
        work = Path(name)
        unlocked = unlock(tools, plan, streams, media, key, work) if plan.protection and key else None
        readings = read(tools, unlocked.clear if unlocked else media, {sound.name for sound in plan.audio})
        # Where things lie is a matter of what is published.
        laid = as_published(tools, readings, media, whole=plan.whole) if unlocked else readings
        checks = (
            source.frame_times(plan, shown),
            source.damage(plan, shown),
            tracks.decodes(readings),
            tracks.frame_count(plan, readings),
            tracks.duration(plan, readings),
            tracks.key_frames(plan, readings),
            tracks.track_ends(plan, readings),
            same_pictures(tools, plan, readings),
            colour(tools, plan, streams, readings, original, work),
            vmaf_floor(tools, plan, readings, original, work),
            sound_times(tools, plan, readings, original, work),
            references(plan, streams, laid, texts, sprites),
            descriptions(plan, streams, laid, texts, sprites),
            authoring(plan, streams, laid),
            bandwidth(streams, laid, sprites),
            sprite_tiles(plan, streams, sprites, images),
            picture_times(tools, plan, streams, readings, thumbnails, sprites, images, work, brought),
            subtitles(plan, texts, suggested),
            pictures.not_empty(streams, thumbnails, sprites, media, images),
            digests(streams, thumbnails, sprites, media, images, preview),
            downloads.download(tools, plan, readings, saved),
            preview_clip(tools, plan, readings, preview, images, work),
            protection(tools, plan, streams, media, encoded, key, unlocked),
        )
    return QualityReport(
        passed=all(check.passed or check.warning for check in checks),
        checks=checks,
        subject_digest=subject_digest(plan, streams, thumbnails, sprites, shown, texts, download, suggested, preview),
    )


def subject_digest(
    plan: EncodingPlan,
    streams: Streams,
    thumbnails: Thumbnails,
    sprites: Sprites,
    shown: FrameMap,
    texts: Texts,
    download: Download,
    suggested: Mapping[str, str] | None = None,
    preview: Preview = NO_PREVIEW,
) -> str:
    """Over everything a report is about: a report belongs to what has the same digest."""
    about = (plan, streams, thumbnails, sprites, shown, texts, download, preview)
    text = "\n".join([*(model.model_dump_json() for model in about), *sorted((suggested or {}).values())])
    return hashlib.sha256(f"{VERSION}\n{text}".encode()).hexdigest()
