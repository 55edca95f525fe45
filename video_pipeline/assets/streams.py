"""All tracks as HLS and DASH."""

from collections.abc import Sequence

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.families import FAMILY_INS
from video_pipeline.assets.ingest import GROUP
from video_pipeline.assets.stage import OWNERS, RETRY, stage
from video_pipeline.assets.values import AudioTracks, Renditions
from video_pipeline.media import package as packaging
from video_pipeline.media.image_products import Sprites
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Streams, Texts, Track
from video_pipeline.media.protection import ContentKey
from video_pipeline.partitions import videos
from video_pipeline.resources import MediaResource, ProgressResource, StoreResource


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"hls", "dash"},
    owners=OWNERS,
    code_version="2",
    retry_policy=RETRY,
    ins={**FAMILY_INS, "audio": dg.AssetIn(["renditions", "audio"])},
)
def streams(
    context: dg.AssetExecutionContext,
    encoding_plan: EncodingPlan,
    h264: Renditions,
    hevc: Renditions,
    vp9: Renditions,
    av1: Renditions,
    audio: AudioTracks,
    subtitles: Texts,
    sprites: Sprites,
    media: MediaResource,
    store: StoreResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[Streams]:
    """HLS and DASH over one set of CMAF files: each track is a single file that both manifests read by byte ranges.
    Encrypted where the preset asks for it; with AES-128 there is no DASH."""
    tracks = [*h264.tracks, *hevc.tracks, *vp9.tracks, *av1.tracks, *audio.tracks]
    with stage(context, progress) as step:
        key = media.content_key(encoding_plan, context.partition_key)
        packaged = _package(encoding_plan, tracks, subtitles, sprites, key, media, store)
        seconds = step.seconds
    return dg.MaterializeResult(
        value=packaged,
        metadata={
            "files": show.table(
                [{"track": f.name, "bytes": f.file.size, "sha256": f.file.sha256[:12]} for f in packaged.media]
            ),
            "bytes": sum(file.file.size for file in packaged.media),
            "seconds": seconds,
            "hls master": dg.MetadataValue.md(f"```\n{packaged.texts['hls/master.m3u8']}\n```"),
        },
    )


def _package(
    plan: EncodingPlan,
    tracks: Sequence[Track],
    texts: Texts,
    sprites: Sprites,
    secret: ContentKey | None,
    media: MediaResource,
    store: StoreResource,
) -> Streams:
    key = packaging.checkpoint_key(media.tools, plan, tracks, texts.tracks, secret, sprites)
    packaged = store.checkpoints.get("streams", key, Streams)
    if packaged is None:
        with media.scratch() as scratch:
            files = {track.name: store.objects.local(track.file.key) for track in tracks}
            packaged = packaging.package(media.tools, plan, tracks, files, scratch, texts.tracks, secret, sprites)
            # Two tracks may be the same byte for byte.
            for digest, key_of in {made.file.sha256: made.file.key for made in packaged.media}.items():
                store.objects.put_file(key_of, scratch / f"{digest}.mp4", move=True)
            store.checkpoints.put("streams", key, packaged)
    return packaged
