"""The encoders that this host has: found out before anything is encoded, and settled in the plan."""

from __future__ import annotations

from video_pipeline.errors import RequestError, ToolMissing
from video_pipeline.media import families, hardware
from video_pipeline.media import tools as tools_module
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.technical import VideoStream
from video_pipeline.media.tools import Tools
from video_pipeline.media.trial import refusal
from video_pipeline.media.video_plan import Fallback, VideoEncoder
from video_pipeline.presets.families import SOFTWARE
from video_pipeline.presets.model import Preset

SOUND = "aac"


def settled(tools: Tools, plan: EncodingPlan, preset: Preset, video: VideoStream) -> EncodingPlan:
    """The plan with an encoder in each family that can be used here.

    Raises:
        ToolMissing: one is not there, and the preset allows no other.
        RequestError: one does not take the options that the preset has for it.
    """
    built = tools_module.encoders(tools)
    if plan.audio and SOUND not in built:
        raise ToolMissing(f"{_lacking(tools, SOUND)}; set VIDEO_PIPELINE_FFMPEG to one that has it")
    for encoder in plan.encoders:
        if not encoder.on_hardware:
            _ask_software(tools, plan, preset, encoder, built)
            continue
        why = _why_not(tools, plan, encoder, built)
        if why is None:
            continue
        used = SOFTWARE[encoder.family]
        if preset.hardware == "require":
            raise ToolMissing(
                f"preset {preset.name}: {encoder.codec} of {encoder.family} cannot be used here: {why}; it needs "
                f"{hardware.NEEDS[encoder.codec]}. Or set `hardware: prefer` in the preset, to take {used} where there "
                "is none"
            )
        fallback = Fallback(family=encoder.family, asked=encoder.codec, used=used, why=why)
        instead = families.encoder(preset, encoder.family, video, in_software=True)
        encoders = tuple(instead if one.family == encoder.family else one for one in plan.encoders)
        plan = plan.model_copy(update={"encoders": encoders, "fallbacks": (*plan.fallbacks, fallback)})
        _ask_software(tools, plan, preset, instead, built)
    return plan


def _why_not(tools: Tools, plan: EncodingPlan, encoder: VideoEncoder, built: frozenset[str]) -> str | None:
    if encoder.codec not in built:
        return _lacking(tools, encoder.codec)
    # All rungs at once: a card has a largest size, and opens only so many sessions.
    encoded = [rung for rung in plan.family(encoder.family) if not rung.copied]
    return refusal(tools, plan, encoded) if encoded else None


def _ask_software(
    tools: Tools, plan: EncodingPlan, preset: Preset, encoder: VideoEncoder, built: frozenset[str]
) -> None:
    if encoder.codec not in built:
        raise ToolMissing(
            f"preset {preset.name}: {_lacking(tools, encoder.codec)}, which {encoder.family} is encoded by; set "
            "VIDEO_PIPELINE_FFMPEG to one that has it, or take a preset without this family"
        )
    if not preset.families[encoder.family].tuned:
        return  # all the rest is ours, and tested
    if why := refusal(tools, plan, plan.family(encoder.family)[-1:]):
        raise RequestError(f"preset {preset.name}: {encoder.family}: {encoder.codec} refuses its settings: {why}")


def _lacking(tools: Tools, codec: str) -> str:
    return f"the ffmpeg at {tools.ffmpeg} is built without {codec}"
