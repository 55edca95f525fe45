"""What happens in the video: scenes, silence, black, loudness, the outline of the sound."""

import hashlib
from typing import Any

import dagster as dg

from video_pipeline.assets import show
from video_pipeline.assets.families import FAMILY_INS, plain
from video_pipeline.assets.stage import OWNERS, RETRY, Stage, stage
from video_pipeline.assets.values import AudioTracks, Renditions
from video_pipeline.media import black, chart, complexity, loudness, scenes
from video_pipeline.media.files import blob_of
from video_pipeline.media.model import Blob, EncodingPlan
from video_pipeline.media.products import SUGGESTED, ContentAnalysis, Loudness, Track
from video_pipeline.media.text import suggested
from video_pipeline.media.waveform import Outline, Waveform
from video_pipeline.partitions import videos
from video_pipeline.resources import MediaResource, ProgressResource, StoreResource
from video_pipeline.stores.objects import ObjectStore

GROUP = "analysis"
CODE_VERSION = "3"


@dg.asset(
    partitions_def=videos,
    group_name=GROUP,
    kinds={"python", "ffmpeg"},
    owners=OWNERS,
    code_version=CODE_VERSION,
    retry_policy=RETRY,
    ins={**FAMILY_INS, "audio": dg.AssetIn(["renditions", "audio"])},
)
def content_analysis(
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
) -> dg.MaterializeResult[ContentAnalysis]:
    """Scenes (PySceneDetect on the smallest rung) with how each begins and how hard it is to encode, chapters suggested
    from them, black stretches; of the sound, its loudness by EBU R128, as a whole
    and over time, its true peak, silence and outline."""
    with stage(context, progress) as step:
        small, sound = plain(encoding_plan, h264, hevc, vp9, av1).tracks[-1], audio.track
        parts = [CODE_VERSION, small.file.sha256, sound.file.sha256 if sound else ""]
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        found = store.checkpoints.get("analysis", key, ContentAnalysis)
        if found is None:
            found = _analyse(encoding_plan, small, sound, media, store, step)
            store.checkpoints.put("analysis", key, found)
        seconds = step.seconds
    rate = encoding_plan.rate
    rows: list[dict[str, show.Cell]] = [
        {
            "scene": scene.index,
            "start s": round(float(scene.start / rate), 3),
            "end s": round(float(scene.end / rate), 3),
            "frames": scene.end - scene.start,
            "begins with": scene.transition,
            "over frames": scene.transition_frames,
            "complexity": scene.complexity,
        }
        for scene in found.scenes
    ]
    return dg.MaterializeResult(
        value=found,
        metadata={
            "table": show.table(rows),
            "scenes": len(rows),
            **_pace(found, encoding_plan),
            "black_seconds": sum(span.end - span.start for span in found.black),
            **_heard(found, store.objects),
            "seconds": seconds,
        },
    )


def sound_files(found: ContentAnalysis) -> dict[str, bytes | Blob]:
    """Path inside the release to what can be drawn of the sound; nothing without sound."""
    if found.loudness is None or found.waveform is None:
        return {}
    levels = f"{found.loudness.model_dump_json()}\n"
    return {"audio/loudness.json": levels.encode(), "audio/waveform.json": found.waveform}


def suggestion(found: ContentAnalysis, plan: EncodingPlan) -> dict[str, str]:
    """Path inside the release to chapters made from the scenes; nothing where there would be one only."""
    text = suggested.suggested(found.scenes, plan.rate, plan.frames)
    return {SUGGESTED: text} if text else {}


def _pace(found: ContentAnalysis, plan: EncodingPlan) -> dict[str, show.Metadata]:
    """What Dagster plots from video to video, and the chapters."""
    chapters = suggested.chapters(found.scenes, plan.rate, plan.frames)
    starts = ", ".join(f"{float(start / plan.rate):.1f} s" for start in chapters)
    hardest = max((scene.complexity for scene in found.scenes if scene.complexity is not None), default=None)
    return {
        **({} if hardest is None else {"hardest_scene": hardest}),
        "suggested_chapters": len(chapters),
        **({"chapters begin at": starts} if chapters else {}),
    }


def _analyse(
    plan: EncodingPlan, small: Track, sound: Track | None, media: MediaResource, store: StoreResource, step: Stage
) -> ContentAnalysis:
    pictures = store.objects.local(small.file.key)
    with scenes.detecting(pictures, plan) as cut:
        dark = black.detect(media.tools, pictures, plan)
        step.progress(0.3)
        heard = _listen(plan, sound, media, store) if sound else {}
        step.progress(0.6)
        weighed = complexity.weighed(media.tools, pictures, plan, cut.result())
        return ContentAnalysis(scenes=weighed, black=dark, **heard)


def _listen(plan: EncodingPlan, sound: Track, media: MediaResource, store: StoreResource) -> dict[str, Any]:
    """What the analysis has of the sound."""
    outline = Outline(plan.duration)
    level, silences = loudness.measure(media.tools, store.objects.local(sound.file.key), on_sound=outline.take)
    with media.scratch() as scratch:
        drawn = scratch / "waveform.json"
        drawn.write_bytes(outline.done().text())
        blob = blob_of(drawn)
        store.objects.put_file(blob.key, drawn, move=True)
    return {"loudness": level, "silences": silences, "waveform": blob}


def _heard(found: ContentAnalysis, objects: ObjectStore) -> dict[str, show.Metadata]:
    if found.loudness is None or found.loudness.curve is None or found.waveform is None:
        return {"sound": "the video has no sound"}
    level = found.loudness
    return {
        "silent_seconds": sum(span.end - span.start for span in found.silences),
        **{name: value for name, value in _numbers(level).items() if value is not None},
        "levels": show.picture(
            chart.levels(_waveform(found.waveform, objects), found.loudness.curve, level.integrated), "levels", "png"
        ),
    }


def _numbers(level: Loudness) -> dict[str, float | None]:
    return {
        "loudness_lufs": level.integrated,
        "loudness_range_lu": level.range,
        "momentary_max_lufs": level.momentary_max,
        "short_term_max_lufs": level.short_term_max,
        "true_peak_dbtp": level.true_peak,
    }


def _waveform(blob: Blob, objects: ObjectStore) -> Waveform:
    return Waveform.model_validate_json(objects.get_bytes(blob.key))
