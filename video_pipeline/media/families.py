"""From a preset to the encoders of its families: which of them keep a source's HDR, and what each is asked for."""

from __future__ import annotations

from video_pipeline.errors import ToolMissing
from video_pipeline.media import colour
from video_pipeline.media.model import EncodingPlan, Family, VideoEncoder, VideoRange
from video_pipeline.media.technical import VideoStream
from video_pipeline.media.tools import Tools
from video_pipeline.media.tools import encoders as available
from video_pipeline.presets.families import H264, Av1, FamilyPreset, Hevc, Vp9
from video_pipeline.presets.model import Preset

_RANGES: dict[str, VideoRange] = {"sdr": "SDR", "pq": "PQ", "hlg": "HLG"}


def encoders(preset: Preset, video: VideoStream) -> tuple[VideoEncoder, ...]:
    """One for each family of the preset."""
    return tuple(
        _encoder(name, family, _range(preset, family, video), video) for name, family in preset.families.items()
    )


def keeps_hdr(preset: Preset, video: VideoStream) -> bool:
    """Whether families of 10 bits stay in HDR."""
    return preset.hdr == "keep" and colour.is_hdr(video)


def check(tools: Tools, plan: EncodingPlan) -> None:
    """That the encoders of a plan are there.

    Raises:
        ToolMissing: this build of ffmpeg lacks one.
    """
    there = available(tools)
    lacking = [f"{encoder.codec} ({encoder.family})" for encoder in plan.encoders if encoder.codec not in there]
    if lacking:
        what = f"this ffmpeg lacks {', '.join(lacking)}, which preset {plan.preset!r} asks for"
        raise ToolMissing(f"{what}; set VIDEO_PIPELINE_FFMPEG to a build that has it, or take another preset")


def _range(preset: Preset, family: FamilyPreset, video: VideoStream) -> VideoRange:
    return _RANGES[video.transfer] if family.bit_depth == 10 and keeps_hdr(preset, video) else "SDR"


def _encoder(name: Family, family: FamilyPreset, video_range: VideoRange, video: VideoStream) -> VideoEncoder:
    speed, profile, options = _asked(family)
    return VideoEncoder(
        family=name,
        codec=family.encoder,
        preset=speed,
        profile=profile,
        threads=family.threads,
        options=options,
        params=family.params if isinstance(family, Hevc | Av1) else {},
        bit_depth=family.bit_depth,
        video_range=video_range,
        light=video.light if video_range == "PQ" else None,
    )


def _asked(family: FamilyPreset) -> tuple[str, str, dict[str, str]]:
    """Speed and profile as the encoder spells them, and further options."""
    if isinstance(family, Vp9):
        speed = str(family.cpu_used)
        return speed, str(family.depth_profile), {"deadline": family.deadline, **family.options}
    if isinstance(family, Hevc):
        return family.preset, family.depth_profile, family.options
    assert isinstance(family, H264 | Av1)
    return str(family.preset), family.profile, family.options
