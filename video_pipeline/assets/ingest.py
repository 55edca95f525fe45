"""From a request to a plan: take the source in, find out what it is, decide what to make of it."""

import json
from collections.abc import Sequence

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.request import NewRequest, request_of
from video_pipeline.assets.stage import OWNERS, RETRY, stage
from video_pipeline.assets.values import AcceptedSource
from video_pipeline.errors import RequestError
from video_pipeline.media import damage, per_title
from video_pipeline.media import plan as planning
from video_pipeline.media import probe as probing
from video_pipeline.media.backend import settled
from video_pipeline.media.model import EncodingPlan, SourceFile
from video_pipeline.media.probing import Scores
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.text import planning as text_planning
from video_pipeline.partitions import videos
from video_pipeline.progress.stages import shares
from video_pipeline.resources import IndexResource, MediaResource, ProgressResource, StoreResource
from video_pipeline.stores.checkpoints import Checkpoints
from video_pipeline.stores.sidecars import take_in
from video_pipeline.stores.sources import fetch

GROUP = "ingest"


class ProbeMemory:
    """Probes of the search, kept beside the other finished work."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self.checkpoints = checkpoints

    def get(self, key: str) -> Scores | None:
        return self.checkpoints.get("probe", key, Scores)

    def put(self, key: str, scores: Scores) -> None:
        self.checkpoints.put("probe", key, scores)


def _given(files: Sequence[SourceFile]) -> list[dict[str, show.Cell]]:
    return [{"file": file.uri, "bytes": file.blob.size, "sha256": file.blob.sha256[:12]} for file in files]


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"file"},
    owners=OWNERS,
    code_version="1",
    retry_policy=RETRY,
)
def source(
    context: dg.AssetExecutionContext,
    config: NewRequest,
    media: MediaResource,
    store: StoreResource,
    index: IndexResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[AcceptedSource]:
    """The original file, copied once into the store under its SHA-256, so that nothing later depends on where it came
    from.

    To create a video here, choose "Materialize all" in the lineage, add a partition (the video's id), and give
    `ops: {source: {config: {source: /path/of/the/video.mp4}}}` as config; `preset`, `title` and more if you like.
    """
    with stage(context, progress) as step:
        request = request_of(context, config, index.requests)
        with media.scratch() as scratch:
            # First: they are read in a moment, the video may be large.
            sidecars = take_in(request.options, store.objects, store.checkpoints, scratch)
            brought = index.custom_thumbnails(store).take_in(request, media.tools, scratch)
            file = fetch(request.source, store.objects, store.checkpoints, scratch)
        seconds = step.seconds
    return dg.MaterializeResult(
        value=AcceptedSource(request=request.version, file=file, sidecars=sidecars),
        metadata={
            "source": request.source,
            "sha256": file.blob.sha256,
            "bytes": file.blob.size,
            "seconds": seconds,
            "request_version": request.version,
            "preset": request.preset,
            "title": request.title or "",
            **({"subtitles": show.table(_given(sidecars))} if sidecars else {}),
            **({"thumbnail": show.table(_given([brought]))} if brought else {}),
            "options": dg.MetadataValue.json(request.options.data()),
        },
    )


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"ffmpeg"},
    owners=OWNERS,
    code_version="1",
    retry_policy=RETRY,
)
def technical_metadata(
    context: dg.AssetExecutionContext,
    source: AcceptedSource,
    media: MediaResource,
    store: StoreResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[TechnicalMetadata]:
    """What the source is: container, streams, colours, rotation, fields, sound, and the clock of its pictures, from
    its packets where these tell, else from decoding it."""
    with stage(context, progress):
        key = probing.checkpoint_key(media.tools, source.file.blob.sha256)
        known = store.checkpoints.get("technical", key, TechnicalMetadata)
        found = known or probing.probe(media.tools, store.original(source.file), name=source.file.name)
        if known is None:
            store.checkpoints.put("technical", key, found)
    width, height = found.video.display_size
    columns = ("stream", "kind", "codec", "what")
    streams = [(found.video.index, "video", found.video.codec, f"{width}x{height}")]
    for sound in found.audio:
        what = [sound.language, sound.title, sound.layout or f"{sound.channels} ch", f"{sound.sample_rate} Hz"]
        streams.append((sound.index, "audio", sound.codec, ", ".join(filter(None, what))))
    for o in found.others:
        said = (o.language, o.title, text_planning.why_not(o))
        streams.append((o.index, o.kind, o.codec or "", ", ".join(text for text in said if text)))
    return dg.MaterializeResult(
        value=found,
        metadata={
            "streams": show.table([dict(zip(columns, row, strict=True)) for row in streams]),
            "container": found.container,
            "duration_seconds": float(found.duration),
            "frames": found.timing.frames,
            "frame_rate": float(found.video.average_rate),
            "variable_rate": found.timing.variable,
            "width": width,
            "height": height,
            "rotation": found.video.rotation,
            "pixel_format": found.video.pix_fmt,
            "damage": damage.judge(1.0, found) or "none seen",
            "everything": dg.MetadataValue.json(json.loads(found.model_dump_json())),
        },
    )


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"python"},
    owners=OWNERS,
    code_version="1",
    retry_policy=RETRY,
)
def encoding_plan(
    context: dg.AssetExecutionContext,
    source: AcceptedSource,
    technical_metadata: TechnicalMetadata,
    media: MediaResource,
    store: StoreResource,
    index: IndexResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[EncodingPlan]:
    """What will be made: frame rate, grid of key frames and segments, and the rungs the source is large enough for. If
    the preset asks for a quality, their CRFs are searched with short samples, and rungs that buy too little left out.

    Every later check compares with this plan, not with what happens to lie there.
    """
    with stage(context, progress) as step:
        request = index.requests.get(context.partition_key, source.request)
        if request is None:
            raise RequestError(f"request {source.request} of {context.partition_key} is not in the index")
        preset = media.preset(request.preset)
        sidecars = [file.blob for file in source.sidecars]
        plan = planning.make_plan(technical_metadata, source.file.blob.sha256, preset, request.options, sidecars)
        plan = settled(media.tools, plan, preset, technical_metadata.video)
        for fallback in plan.fallbacks:
            context.log.warning("%s", fallback.sentence)
        # A key that cannot be had is better known before hours of encoding than behind them.
        key = media.content_key(plan, context.partition_key)
        searched = preset.quality is not None and preset.quality.target is not None
        step.reporter.expect(shares(plan, searched=searched))
        if preset.quality:
            original, memory = store.original(source.file), ProbeMemory(store.checkpoints)
            with media.scratch() as scratch:
                plan = per_title.search(media.tools, original, plan, preset, scratch, memory, on_progress=step.progress)
        seconds = step.seconds
    rungs: list[dict[str, show.Cell]] = [
        {
            "rung": rung.name,
            "encoder": plan.encoder(rung.family).codec,
            "range": plan.encoder(rung.family).video_range,
            "bits": plan.encoder(rung.family).bit_depth,
            "width": rung.width,
            "height": rung.height,
            "crf": rung.crf,
            "ceiling Mbit/s": show.megabits(rung.maxrate),
        }
        for rung in plan.rungs
    ]
    return dg.MaterializeResult(
        value=plan,
        metadata={
            "rungs": show.table(rungs),
            **_quality(plan, seconds),
            "preset": plan.preset,
            "frames": plan.frames,
            "frame_rate": float(plan.rate),
            "duration_seconds": float(plan.duration),
            "gop_frames": plan.gop,
            "segment_seconds": float(plan.segment / plan.rate),
            "audio": ", ".join(f"{track.label} ({track.layout})" for track in plan.audio) or "none",
            **({"fallbacks": "; ".join(one.sentence for one in plan.fallbacks)} if plan.fallbacks else {}),
            "text_tracks": len(plan.text),
            "chapters": len(plan.chapters),
            **({"protection": f"{plan.protection.scheme}, key {key.key_id}"} if plan.protection and key else {}),
        },
    )


def _quality(plan: EncodingPlan, seconds: float) -> dict[str, show.Metadata]:
    """What the search found, if there was one."""
    if plan.quality is None:
        return {}
    expected: list[dict[str, show.Cell]] = [
        {
            "rung": rung.name,
            "crf": rung.crf,
            "VMAF": round(rung.vmaf, 2),
            "floor": None if rung.floor is None else round(rung.floor, 2),
            "Mbit/s": show.megabits(rung.bit_rate),
            "probes": ", ".join(f"{probe.crf:g}: {probe.vmaf:.1f}" for probe in rung.probes),
        }
        for rung in plan.quality.rungs
    ]
    left_out: list[dict[str, show.Cell]] = [{"rung": rung.name, "why": rung.why} for rung in plan.quality.left_out]
    return {
        **({"expected": show.table(expected)} if expected else {}),
        **({"rungs_left_out": show.table(left_out)} if left_out else {}),
        **({"vmaf_target": plan.quality.target} if plan.quality.target else {}),
        "samples": len(plan.quality.samples),
        "sampled_seconds": float(sum(sample.frames for sample in plan.quality.samples) / plan.rate),
        "seconds": seconds,
    }
