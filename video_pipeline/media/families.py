"""From a preset to the encoders of its families: which of them keep a source's HDR, and what each is asked for."""

from __future__ import annotations

from video_pipeline.media import colour, hardware
from video_pipeline.media.technical import VideoStream
from video_pipeline.media.video_plan import Family, Light, VideoEncoder, VideoRange
from video_pipeline.presets.families import H264, SOFTWARE, Av1, FamilyPreset, Hevc, Vp9
from video_pipeline.presets.model import Preset

RANGES: dict[str, VideoRange] = {"sdr": "SDR", "pq": "PQ", "hlg": "HLG"}


def encoders(preset: Preset, video: VideoStream) -> tuple[VideoEncoder, ...]:
    """One for each family of the preset."""
    return tuple(encoder(preset, name, video) for name in preset.families)


def encoder(preset: Preset, name: Family, video: VideoStream, *, in_software: bool = False) -> VideoEncoder:
    """Of one family.

    Args:
        in_software: not the encoder of hardware that the preset asks for, and not its options.
    """
    family = _software(preset, name) if in_software else preset.families[name]
    video_range = _range(preset, family, video)
    light = video.light if video_range == "PQ" and family.encoder not in hardware.ALL else None
    return _encoder(name, family, video_range, light)


def plain(preset: Preset, name: Family, *, in_software: bool = False) -> VideoEncoder:
    """Of one family, for a source in SDR; `in_software` as in `encoder`."""
    return _encoder(name, _software(preset, name) if in_software else preset.families[name], "SDR", None)


def keeps_hdr(preset: Preset, video: VideoStream) -> bool:
    """Whether families of 10 bits stay in HDR."""
    return preset.hdr == "keep" and colour.is_hdr(video)


def _software(preset: Preset, name: Family) -> FamilyPreset:
    return preset.families[name].model_copy(update={"encoder": SOFTWARE[name], "options": {}})


def _range(preset: Preset, family: FamilyPreset, video: VideoStream) -> VideoRange:
    return RANGES[video.transfer] if family.bit_depth == 10 and keeps_hdr(preset, video) else "SDR"


def _encoder(name: Family, family: FamilyPreset, video_range: VideoRange, light: Light | None) -> VideoEncoder:
    speed, profile, options = _asked(family)
    return VideoEncoder(
        family=name,
        codec=family.encoder,
        preset=speed,
        profile=profile,
        threads=family.threads,
        options=options,
        params=family.params if isinstance(family, Hevc | Av1) and family.encoder not in hardware.ALL else {},
        bit_depth=family.bit_depth,
        video_range=video_range,
        light=light,
    )


def _asked(family: FamilyPreset) -> tuple[str, str, dict[str, str]]:
    """Speed and profile as the encoder spells them, and further options."""
    if isinstance(family, Vp9):
        speed = str(family.cpu_used)
        return speed, str(family.depth_profile), {"deadline": family.deadline, **family.options}
    if isinstance(family, H264 | Hevc) and family.encoder in hardware.ALL:
        profile = family.depth_profile if isinstance(family, Hevc) else family.profile
        return hardware.speed(family.encoder, family.preset), profile, family.options
    if isinstance(family, Hevc):
        return family.preset, family.depth_profile, family.options
    assert isinstance(family, H264 | Av1)
    return str(family.preset), family.profile, family.options
