"""The plan: everything that will be made from one source, fixed before a frame is encoded."""

from __future__ import annotations

from fractions import Fraction

from video_pipeline.errors import SourceError
from video_pipeline.media.ladder import ladder
from video_pipeline.media.model import (
    AudioPlan,
    AudioStream,
    EncodingPlan,
    FrameTiming,
    ImagePlan,
    TechnicalMetadata,
    VideoEncoder,
)
from video_pipeline.presets.model import Preset

# Rates that displays and editors know; a source within 0.2 % of one is meant to have it.
STANDARD_RATES = tuple(
    sorted(
        [Fraction(n) for n in (1, 2, 5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120)]
        + [Fraction(25, 2), *(Fraction(n * 1000, 1001) for n in (15, 24, 30, 60, 120))]
    )
)
GOP_SECONDS = 2
"""Apple asks for a key frame every two seconds
(https://developer.apple.com/documentation/http-live-streaming/hls-authoring-specification-for-apple-devices, 1.10)."""
GOPS_PER_SEGMENT = 2
MAX_SECONDS = 24 * 3600


def make_plan(source: TechnicalMetadata, source_sha256: str, preset: Preset) -> EncodingPlan:
    """What the preset makes of this source.

    Raises:
        SourceError: the source's clock makes no sense.
    """
    timing = source.timing
    if not 0 < timing.end - timing.first <= MAX_SECONDS:
        raise SourceError(
            f"the video's time stamps span {float(timing.end - timing.first):.3f} s; "
            f"up to {MAX_SECONDS} s can be processed"
        )
    rate = output_rate(timing, source.video.average_rate, preset.max_rate)
    frames = max(1, round(source.duration * rate))
    gop = max(1, round(GOP_SECONDS * rate))
    h264 = preset.h264
    encoder = VideoEncoder(
        family="h264",
        codec="libx264",
        preset=h264.preset,
        profile=h264.profile,
        threads=h264.threads,
        options=h264.options,
    )
    return EncodingPlan(
        preset=preset.name,
        preset_digest=preset.digest,
        source_sha256=source_sha256,
        start=timing.first,
        rate=rate,
        frames=frames,
        gop=gop,
        segment=gop * GOPS_PER_SEGMENT,
        encoders=(encoder,),
        rungs=ladder(source.video.display_size, rate, preset),
        audio=_audio(source, preset),
        images=ImagePlan(**preset.images.model_dump()),
    )


def output_rate(timing: FrameTiming, declared: Fraction, cap: int) -> Fraction:
    """The constant rate of the output.

    A constant source keeps its own: a standard rate if it is within 0.2 % of one. A variable one gets the smallest
    standard rate that nine of ten distances between its frames fit into. Above `cap` every second (third, ...) frame is
    taken.
    """
    if timing.frames == 1:
        rate = _snap(min(declared, Fraction(cap)))
    elif timing.variable:
        usual = 1 / timing.short_step
        rate = next((r for r in STANDARD_RATES if r >= usual * Fraction(99, 100)), Fraction(cap))
    else:
        rate = _snap(timing.frames / (timing.end - timing.first))
    return rate / -(-rate // cap) if rate > cap else rate


def _snap(rate: Fraction) -> Fraction:
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= rate / 500 else rate.limit_denominator(1001)


def _audio(source: TechnicalMetadata, preset: Preset) -> AudioPlan | None:
    stream = _pick_audio(source.audio)
    if stream is None:
        return None
    return AudioPlan(stream=stream.index, bit_rate=preset.audio.bit_rate * 1000, language=stream.language)


def _pick_audio(streams: tuple[AudioStream, ...]) -> AudioStream | None:
    """The track a player would start with: the default one, else the first."""
    return next((stream for stream in streams if stream.default), streams[0] if streams else None)
