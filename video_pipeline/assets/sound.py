"""The sound: every track of the source that can be decoded."""

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.ingest import GROUP
from video_pipeline.assets.stage import OWNERS, RETRY, Stage, stage
from video_pipeline.assets.values import AcceptedSource, AudioTracks
from video_pipeline.media import audio as audio_encoding
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Track
from video_pipeline.media.tools import build
from video_pipeline.partitions import videos
from video_pipeline.resources import MediaResource, ProgressResource, StoreResource


@dg.asset(
    key=["renditions", "audio"],
    partitions_def=videos,
    group_name=GROUP,
    kinds={"ffmpeg", "aac"},
    owners=OWNERS,
    code_version="1",
    retry_policy=RETRY,
)
def audio(
    context: dg.AssetExecutionContext,
    source: AcceptedSource,
    encoding_plan: EncodingPlan,
    media: MediaResource,
    store: StoreResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[AudioTracks]:
    """Every track of sound as AAC, each encoded in one piece: stereo, and surround beside it where the source has it.

    A track that cannot be decoded is left out and named here; the video is published without it.
    """
    with stage(context, progress) as step:
        made, new = _encode_sound(source, encoding_plan, media, store, step)
        seconds = step.seconds
    left_out: list[dict[str, show.Cell]] = [{"track": one.name, "why": one.why} for one in encoding_plan.audio_left_out]
    metadata: dict[str, show.Metadata] = {"tracks": len(made.tracks)}
    if left_out:
        metadata["left out"] = show.table(left_out)
    if not made.tracks:
        note = "no track of the source's sound can be decoded" if left_out else "without sound"
        return dg.MaterializeResult(value=made, metadata={**metadata, "note": note})
    rows: list[dict[str, show.Cell]] = [
        {
            "track": track.name,
            "label": plan.label,
            "language": plan.language or "",
            "channels": plan.layout,
            "default": plan.default,
            "ends s": round(float(plan.end), 3),
            "kbit/s": round(track.bit_rate / 1000),
            "bytes": track.file.size,
            "from": "encoded" if track.name in new else "checkpoint",
        }
        for plan, track in zip(encoding_plan.audio, made.tracks, strict=True)
    ]
    return dg.MaterializeResult(
        value=made,
        metadata={
            "table": show.table(rows),
            **metadata,
            "bytes": sum(track.file.size for track in made.tracks),
            "seconds": seconds,
        },
    )


def _encode_sound(
    source: AcceptedSource, plan: EncodingPlan, media: MediaResource, store: StoreResource, step: Stage
) -> tuple[AudioTracks, set[str]]:
    """The planned tracks, and the names of those that were encoded now."""
    keys = {track.name: audio_encoding.checkpoint_key(plan, track, build(media.tools)) for track in plan.audio}
    tracks = {name: store.checkpoints.get("audio", key, Track) for name, key in keys.items()}
    missing = [track for track in plan.audio if tracks[track.name] is None]
    if missing:
        with media.scratch() as scratch:
            original = store.original(source.file)
            for track in audio_encoding.encode(
                media.tools, original, plan, missing, scratch, on_progress=step.progress
            ):
                store.objects.put_file(track.file.key, scratch / f"{track.name}.mp4", move=True)
                store.checkpoints.put("audio", keys[track.name], track)
                tracks[track.name] = track
    # The same sound may have been made under another name.
    made = tuple(track.model_copy(update={"name": name}) for name, track in tracks.items() if track is not None)
    return AudioTracks(tracks=made), {track.name for track in missing}
