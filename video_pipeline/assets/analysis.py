"""What happens in the video: scenes, silence, black, loudness."""

import hashlib

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.stage import OWNERS, RETRY, stage
from video_pipeline.assets.values import AudioTracks, Renditions
from video_pipeline.media import black, loudness, scenes
from video_pipeline.media.model import EncodingPlan, Span
from video_pipeline.media.products import ContentAnalysis, Loudness
from video_pipeline.partitions import videos
from video_pipeline.resources import MediaResource, ProgressResource, StoreResource

GROUP = "analysis"
CODE_VERSION = "1"


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"python", "ffmpeg"},
    owners=OWNERS,
    code_version=CODE_VERSION,
    retry_policy=RETRY,
    ins={"h264": dg.AssetIn(["renditions", "h264"]), "audio": dg.AssetIn(["renditions", "audio"])},
)
def content_analysis(
    context: dg.AssetExecutionContext,
    encoding_plan: EncodingPlan,
    h264: Renditions,
    audio: AudioTracks,
    media: MediaResource,
    store: StoreResource,
    progress: ProgressResource,
) -> dg.MaterializeResult[ContentAnalysis]:
    """Scenes (PySceneDetect on the smallest rung), black stretches, loudness by EBU R128, true peak and silence."""
    with stage(context, progress) as step:
        small = h264.tracks[-1]
        parts = [CODE_VERSION, small.file.sha256, audio.track.file.sha256 if audio.track else ""]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        found = store.checkpoints.get("analysis", key, ContentAnalysis)
        if found is None:
            tools, pictures = media.tools, store.objects.local(small.file.key)
            cuts = scenes.detect(pictures, encoding_plan)
            step.progress(0.6)
            dark = black.detect(tools, pictures, encoding_plan)
            level: Loudness | None = None
            silences: tuple[Span, ...] = ()
            if audio.track:
                level, silences = loudness.measure(tools, store.objects.local(audio.track.file.key))
            found = ContentAnalysis(scenes=cuts, loudness=level, silences=silences, black=dark)
            store.checkpoints.put("analysis", key, found)
        seconds = step.seconds
    rate = encoding_plan.rate
    rows: list[dict[str, show.Cell]] = [
        {
            "scene": scene.index,
            "start s": round(float(scene.start / rate), 3),
            "end s": round(float(scene.end / rate), 3),
            "frames": scene.end - scene.start,
        }
        for scene in found.scenes
    ]
    metadata: dict[str, show.Metadata] = {
        "table": show.table(rows),
        "scenes": len(rows),
        "black_seconds": sum(span.end - span.start for span in found.black),
        "silent_seconds": sum(span.end - span.start for span in found.silences),
        "seconds": seconds,
    }
    if found.loudness and found.loudness.integrated is not None:
        metadata["loudness_lufs"] = found.loudness.integrated
    if found.loudness and found.loudness.true_peak is not None:
        metadata["true_peak_dbtp"] = found.loudness.true_peak
    return dg.MaterializeResult(value=found, metadata=metadata)
