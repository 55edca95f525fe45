"""The encoded pictures: one asset per codec family."""

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.ingest import GROUP
from video_pipeline.assets.kept import KeptChunks
from video_pipeline.assets.stage import OWNERS, RETRY, Stage, stage
from video_pipeline.assets.values import AcceptedSource, Renditions
from video_pipeline.media import damage, frame_map
from video_pipeline.media import renditions as encoding
from video_pipeline.media.encode import checkpoint_key
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import FrameMap, Track
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.tools import build
from video_pipeline.media.video_plan import Family, RungPlan
from video_pipeline.partitions import videos
from video_pipeline.resources import MediaResource, ProgressResource, StoreResource

_TITLES: dict[Family, str] = {"h264": "H.264", "hevc": "HEVC", "vp9": "VP9", "av1": "AV1"}


def _family(family: Family) -> dg.AssetsDefinition:
    title = _TITLES[family]

    @dg.asset(
        key=["renditions", family],
        partitions_def=videos,
        group_name=GROUP,
        kinds={"ffmpeg", family},
        owners=OWNERS,
        code_version="1",
        retry_policy=RETRY,
        description=f"The {title} rungs of the plan, all from one decode of the source, each a row of the table. "
        "They are encoded in chunks of about 16 s. A rung, or a chunk of one, that was encoded before with the same "
        "settings is taken from its checkpoint. "
        "Materialises with no rung if the plan has none.",
    )
    def renditions(
        context: dg.AssetExecutionContext,
        source: AcceptedSource,
        technical_metadata: TechnicalMetadata,
        encoding_plan: EncodingPlan,
        media: MediaResource,
        store: StoreResource,
        progress: ProgressResource,
    ) -> dg.MaterializeResult[Renditions]:
        with stage(context, progress) as step:
            made, new = _encode(family, source, technical_metadata, encoding_plan, media, store, step)
            if made.shown and technical_metadata.damage:
                cut_off = made.shown.model_copy(update={"missing": technical_metadata.damage.missing})
                made = made.model_copy(update={"shown": cut_off})
            if made.shown:
                damage.judge(encoding_plan.max_damage, technical_metadata, made.shown)
        if not made.tracks:
            return dg.MaterializeResult(value=made, metadata={"rungs": 0, "note": f"{title} is not in this plan"})
        return dg.MaterializeResult(value=made, metadata=_describe(made, new, encoding_plan))

    return renditions


def _encode(
    family: Family,
    source: AcceptedSource,
    about: TechnicalMetadata,
    plan: EncodingPlan,
    media: MediaResource,
    store: StoreResource,
    step: Stage,
) -> tuple[Renditions, encoding.Made | None]:
    """The family's tracks, and what had to be made of them now."""
    rungs = plan.family(family)
    if not rungs:
        return Renditions(family=family), None
    tools = media.tools
    keys = {rung.name: checkpoint_key(plan, rung, build(tools)) for rung in rungs}
    tracks = {rung.name: store.checkpoints.get("rendition", keys[rung.name], Track) for rung in rungs}
    missing = [rung for rung in rungs if tracks[rung.name] is None]
    from_start = plan.model_copy(update={"seekable": False})
    map_key = frame_map.checkpoint_key(plan, build(tools))
    shown = store.checkpoints.get("frame_map", map_key, FrameMap)
    seconds, new = None, None
    if missing:
        kept, on_hardware = KeptChunks(store), plan.encoder(family).on_hardware
        at_once = media.encoders(missing, about.video, hardware=on_hardware)
        with media.scratch() as scratch:
            new = encoding.make(
                tools,
                store.original(source.file),
                about.timing,
                plan,
                missing,
                scratch,
                kept=kept,
                at_once=at_once,
                on_progress=step.progress,
            )
            shown = new.shown
            # Of a part that was left to do it would say nothing about the whole.
            seconds = step.seconds if new.encoded == new.chunks else None
            for track in new.tracks:
                store.objects.put_file(track.file.key, scratch / f"{track.name}.mp4", move=True)
                store.checkpoints.put("rendition", keys[track.name], track)
                tracks[track.name] = track
    shown = shown or frame_map.read(tools, store.original(source.file), from_start, about.timing)
    store.checkpoints.put("frame_map", map_key, shown)
    if new:
        kept.drop(new.keys)
    made = tuple(track for track in tracks.values() if track is not None)
    return Renditions(family=family, tracks=made, shown=shown, encode_seconds=seconds), new


def _describe(made: Renditions, new: encoding.Made | None, plan: EncodingPlan) -> dict[str, show.Metadata]:
    factor = round(float(plan.duration) / made.encode_seconds, 3) if made.encode_seconds else None
    rungs = zip(plan.family(made.family), made.tracks, strict=True)
    # All from one decode, side by side: each took as long as all.
    encoded = {track.name for track in new.tracks} if new else set()
    speed = f"{factor} x" if factor else "partly from checkpoints"
    rows = [_row(rung, track, plan, speed if rung.name in encoded else "from checkpoint") for rung, track in rungs]
    pixels = sum(rung.width * rung.height for rung in plan.family(made.family)) * plan.frames
    total = sum(track.file.size for track in made.tracks)
    instead = [one.sentence for one in plan.fallbacks if one.family == made.family]
    numbers: dict[str, show.Metadata] = {
        "table": show.table(rows),
        "encoder": plan.encoder(made.family).codec,
        **({"note": instead[0]} if instead else {}),
        "rungs": len(rows),
        "rungs_from_checkpoints": len(rows) - len(encoded),
        "chunks_encoded": new.encoded if new else 0,
        "chunks_from_checkpoints": new.chunks - new.encoded if new else 0,
        "bytes": total,
        "bits_per_pixel": round(8 * total / pixels, 5),
    }
    if made.shown:
        numbers["source_pictures"] = made.shown.pictures + made.shown.skipped
        numbers["source_damage"] = round(made.shown.damage, 4)
    if made.encode_seconds and factor:
        numbers["encode_seconds"] = made.encode_seconds
        numbers["realtime_factor"] = factor
        numbers["encoded_frames_per_second"] = round(plan.frames * len(encoded) / made.encode_seconds, 1)
    return numbers


def _row(rung: RungPlan, track: Track, plan: EncodingPlan, speed: str) -> dict[str, show.Cell]:
    return {
        "rung": rung.name,
        "size": f"{rung.width}x{rung.height}",
        "bytes": track.file.size,
        "Mbit/s": show.megabits(track.bit_rate),
        "peak Mbit/s": show.megabits(track.peak_bit_rate),
        "bits/pixel": round(8 * track.file.size / (rung.width * rung.height * plan.frames), 4),
        "speed": "the source's own" if rung.copied else speed,
        "sha256": track.file.sha256[:12],
    }


h264, hevc, vp9, av1 = (_family(family) for family in ("h264", "hevc", "vp9", "av1"))
