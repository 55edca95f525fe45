"""The video as one file for people to keep."""

import dagster as dg

from video_pipeline.assets.families import FAMILY_INS, plain
from video_pipeline.assets.ingest import GROUP
from video_pipeline.assets.stage import OWNERS, RETRY, stage
from video_pipeline.assets.values import AudioTracks, Renditions
from video_pipeline.media import download as downloading
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Download, Track
from video_pipeline.media.tools import build
from video_pipeline.partitions import videos
from video_pipeline.resources import MediaResource, ProgressResource, StoreResource


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"ffmpeg"},
    owners=OWNERS,
    code_version="1",
    retry_policy=RETRY,
    ins={**FAMILY_INS, "audio": dg.AssetIn(["renditions", "audio"])},
)
def download(
    context: dg.AssetExecutionContext,
    encoding_plan: EncodingPlan,
    h264: Renditions,
    hevc: Renditions,
    vp9: Renditions,
    av1: Renditions,
    audio: AudioTracks,
    media: MediaResource,
    store: StoreResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[Download]:
    """One rung and the stereo sound as a plain MP4 that plays while it loads, not encoded again. Nothing if the preset
    asks for none."""
    with stage(context, progress) as step:
        tracks = plain(encoding_plan, h264, hevc, vp9, av1).tracks
        video = next((track for track in tracks if track.name == encoding_plan.download), None)
        made = _make(encoding_plan, video, audio.track, media, store) if video else Download()
        seconds = step.seconds
    if made.file is None:
        return dg.MaterializeResult(value=made, metadata={"note": "the preset asks for no download"})
    return dg.MaterializeResult(
        value=made,
        metadata={
            "rung": encoding_plan.download or "",
            "bytes": made.file.size,
            "sha256": made.file.sha256,
            "seconds": seconds,
        },
    )


def _make(
    plan: EncodingPlan, video: Track, sound: Track | None, media: MediaResource, store: StoreResource
) -> Download:
    key = downloading.checkpoint_key(video, sound, plan, build(media.tools))
    made = store.checkpoints.get("download", key, Download)
    if made is None:
        with media.scratch() as scratch:
            pictures = store.objects.local(video.file.key)
            heard = store.objects.local(sound.file.key) if sound else None
            made = downloading.make(media.tools, plan, pictures, heard, scratch)
            assert made.file is not None
            store.objects.put_file(made.file.key, scratch / downloading.FILE, move=True)
        store.checkpoints.put("download", key, made)
    return made
