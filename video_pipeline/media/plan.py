"""The plan: everything that will be made from one source, fixed before a frame is encoded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from video_pipeline.errors import SourceError
from video_pipeline.media import audio_plan, colour, damage, families, moments, pass_through, slow_motion
from video_pipeline.media.fitting import fit
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.ladder import download_rung, ladder
from video_pipeline.media.model import Blob, EncodingPlan, ProtectionPlan
from video_pipeline.media.options import Options
from video_pipeline.media.technical import FrameTiming, TechnicalMetadata, VideoStream
from video_pipeline.media.text import planning as text_planning
from video_pipeline.media.tiles import planning as tiles
from video_pipeline.media.video_plan import RungPlan
from video_pipeline.presets.model import Preset

# Rates that displays and editors know; a source within 0.2 % of one is meant to have it.
STANDARD_RATES = tuple(
    sorted(
        [Fraction(n) for n in (1, 2, 5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120)]
        + [Fraction(25, 2), *(Fraction(n * 1000, 1001) for n in (15, 24, 30, 60, 120))]
    )
)
MIN_RATE = 10
"""Frames per second; fewer make key frames and segments lie too far apart to seek and switch well."""
FILM_RATE = Fraction(24000, 1001)
SLACK = Fraction(1, 10)
"""Fields; clocks are written in ticks."""
GOP_SECONDS = 2
"""Apple asks for a key frame every two seconds
(https://developer.apple.com/documentation/http-live-streaming/hls-authoring-specification-for-apple-devices, 1.10)."""
GOPS_PER_SEGMENT = 2
MAX_SECONDS = 24 * 3600
NO_OPTIONS = Options()
MIXED_PICTURES = 2
"""A frame made of fields shows one of two pictures; one made of film by 2:3 pulldown one of three."""
BARE = "sidedata=mode=delete"
"""An encoder would write the source's matrix, captions and HDR metadata into renditions they are not true of."""


def make_plan(
    source: TechnicalMetadata,
    source_sha256: str,
    preset: Preset,
    options: Options = NO_OPTIONS,
    sidecars: Sequence[Blob] = (),
) -> EncodingPlan:
    """What the preset and the request's options make of this source.

    Args:
        sidecars: what `options.subtitles` names, in the store.

    Raises:
        SourceError: the source's clock makes no sense, or it is more damaged than the preset allows.
        RequestError: an option names a time the source does not have, or the preset has no rung for its size.
    """
    damage.judge(preset.max_damage, source)
    stretch = slow_motion.slower(source) if preset.slow_motion == "honour" else Fraction(1)
    timing = slow_motion.stretched(source.timing, stretch)
    if stretch != 1:  # nobody listens to sound that is so slow
        source = source.model_copy(update={"timing": timing})
        options = options.model_copy(update={"audio": "none"})
    if not 0 < timing.end - timing.first <= MAX_SECONDS:
        raise SourceError(
            f"the video's time stamps span {float(timing.end - timing.first):.3f} s; "
            f"up to {MAX_SECONDS} s can be processed"
        )
    rate = output_rate(timing, source.video.average_rate / stretch, preset.max_rate, _per_picture(source.video, preset))
    lead = round(audio_plan.leading(source, options.audio) * rate)
    whole = lead + _frames(timing, rate)
    skip, frames = moments.kept(options.trim, rate, whole) if options.trim else (0, whole)
    start = timing.first + (skip - lead) / rate
    if not options.trim:
        lasts = audio_plan.lasting(source, options.audio, start, whole / rate)
        frames = max(whole, round(lasts * rate))
    gop = max(1, round(GOP_SECONDS * rate))
    text, text_left_out = text_planning.plan(source, options, sidecars, start)
    rungs = ladder(source.video.display_size, rate, preset)
    rungs, encoders, rungs_left_out = fit(preset.name, rungs, families.encoders(preset, source.video))
    plain = next(encoder.family for encoder in encoders if encoder.video_range == "SDR")
    plan = EncodingPlan(
        preset=preset.name,
        preset_digest=preset.digest,
        source_sha256=source_sha256,
        stream=source.video.index,
        decoder=source.video.decoder,
        start=start,
        skip=skip,
        lead=lead,
        # Where packets tell when pictures are shown, they are found by their times; fields need their neighbours.
        seekable=not timing.decoded and source.video.fields == "progressive" and stretch == 1,
        rate=rate,
        frames=frames,
        gop=gop,
        segment=gop * GOPS_PER_SEGMENT,
        before=(*_slowed(stretch), *_before(source.video, timing, preset)),
        stretch=stretch,
        mixing=MIXED_PICTURES * timing.common_step if source.video.fields != "progressive" else Fraction(0),
        filters=(*_upright(source.video), *colour.filters(source.video, preset.alpha_over), BARE),
        deep_filters=_deep(preset, source.video),
        encoders=encoders,
        rungs=rungs,
        rungs_left_out=rungs_left_out,
        audio=audio_plan.tracks(source, preset.audio, options.audio, start, frames / rate, cut=skip + frames < whole),
        audio_left_out=audio_plan.left_out(source, options.audio),
        clock=source.clock,
        text=text,
        text_left_out=text_left_out,
        chapters=text_planning.chapters(source, start, frames / rate),
        images=_images(options, rate, frames, preset, gop, [rung for rung in rungs if rung.family == plain][-1]),
        max_damage=preset.max_damage,
        download=download_rung([rung for rung in rungs if rung.family == plain], preset.download),
        protection=ProtectionPlan(**preset.protection.model_dump()) if preset.protection else None,
    )
    return pass_through.applied(plan, source) if preset.pass_through else plan


def output_rate(timing: FrameTiming, declared: Fraction, cap: int, per_picture: Fraction = Fraction(1)) -> Fraction:
    """The constant rate of the output.

    A constant source keeps its own: a standard rate if it is within 0.2 % of one. A variable one gets the smallest
    standard rate that nine of ten distances between its frames fit into; film that a player is told to show for two and
    three fields in turn, as on DVDs, its own. Above `cap` every second (third, ...) frame is taken, below MIN_RATE each
    is shown twice (three times, ...).

    Args:
        per_picture: frames that are made of one picture of the source.
    """
    if timing.frames == 1:
        rate = _snap(min(declared, Fraction(cap)))
    elif _soft_film(timing):
        rate = FILM_RATE
    elif timing.variable:
        rate = _at_least(per_picture / timing.short_step, cap)
    else:
        rate = _snap(per_picture / timing.common_step)
    if rate > cap:
        return _snap(rate / -(-rate // cap))
    return rate * -(-MIN_RATE // rate) if rate < MIN_RATE else rate


def _frames(timing: FrameTiming, rate: Fraction) -> int:
    """As many as the source lasts, and one for its last picture even if that is shorter than half a frame."""
    lasts = timing.end - timing.first
    begins = math.floor((lasts - timing.last_step) * rate + Fraction(1, 2))
    return max(1, round(lasts * rate), min(begins + 1, math.ceil(lasts * rate)))


def _at_least(rate: Fraction, cap: int) -> Fraction:
    """The standard rate within 1 % of it, else the next larger one."""
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    if abs(nearest - rate) <= rate / 100:
        return nearest
    return next((standard for standard in STANDARD_RATES if standard >= rate), Fraction(cap))


def _soft_film(timing: FrameTiming) -> bool:
    """Whether pictures are shown for two and three fields of 60000/1001 in turn."""
    field = Fraction(1001, 60000)
    steps = (timing.short_step / field, timing.longest_step / field)
    rate = (timing.frames - 1) / (timing.end - timing.first - timing.common_step) if timing.frames > 9 else Fraction(0)
    return abs(steps[0] - 2) < SLACK and abs(steps[1] - 3) < SLACK and abs(rate - FILM_RATE) < FILM_RATE / 50


def _per_picture(video: VideoStream, preset: Preset) -> Fraction:
    """Two fields make two frames or one; film is four of five pictures."""
    if _is_film(video, preset):
        return Fraction(4, 5)
    return Fraction(2) if video.fields != "progressive" and preset.deinterlace == "field" else Fraction(1)


def _before(video: VideoStream, timing: FrameTiming, preset: Preset) -> tuple[str, ...]:
    """What makes whole frames of the decoder's pictures; all of one size first, for a file may change it."""
    size = f"{video.width}:{video.height}"
    fits: tuple[str, ...] = (f"scale={size}:force_original_aspect_ratio=decrease", f"pad={size}:-1:-1:eval=frame")
    # Bars are whole samples of colour; what has half ones at its edge is stretched.
    if video.width % 2 or video.height % 2 or video.pix_fmt.startswith(("yuv41", "yuvj41")):
        fits = (f"scale={size}",)
    if video.fields == "progressive":
        return fits
    parity = "bff" if "bottom" in video.fields else "tff"
    if _is_film(video, preset):
        # decimate counts pictures, so none may be missing.
        constant = f"fps={_snap(1 / timing.common_step)}"
        matched = f"fieldmatch=order={parity}:combmatch=full"
        return (*fits, constant, matched, "bwdif=mode=send_frame:deint=interlaced", "decimate")
    return (*fits, f"bwdif=mode=send_{preset.deinterlace}:parity={parity}:deint=all")


def _is_film(video: VideoStream, preset: Preset) -> bool:
    return video.fields.startswith("telecined") and preset.telecine == "remove"


def _slowed(stretch: Fraction) -> tuple[str, ...]:
    return (f"setpts=PTS*({stretch})",) if stretch != 1 else ()


def _deep(preset: Preset, video: VideoStream) -> tuple[str, ...]:
    """Filters for families of 10 bits, if there are some."""
    if all(family.bit_depth == 8 for family in preset.families.values()):
        return ()
    keep = families.keeps_hdr(preset, video)
    return (*_upright(video), *colour.filters(video, preset.alpha_over, 10, keep_hdr=keep), BARE)


def _upright(video: VideoStream) -> tuple[str, ...]:
    """As a player would turn the picture."""
    turns: dict[int, tuple[str, ...]] = {
        0: (),
        90: ("transpose=clock",),
        180: ("hflip", "vflip"),
        270: ("transpose=cclock",),
    }
    return (*(("hflip",) if video.mirrored else ()), *turns[video.rotation])


def _snap(rate: Fraction) -> Fraction:
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest - rate) <= rate / 500 else rate.limit_denominator(1001)


def _images(options: Options, rate: Fraction, frames: int, preset: Preset, gop: int, smallest: RungPlan) -> ImagePlan:
    at = [moments.shown(f"thumbnailsAt.{n}", moment, rate, frames) for n, moment in enumerate(options.thumbnails_at)]
    poster = None if options.poster is None else moments.shown("poster", options.poster, rate, frames)
    wanted = preset.images.model_dump(exclude={"max_sheet_kilobytes", "interval"})
    tile = tiles.size(smallest, preset.images.tile_width)
    return ImagePlan(
        **wanted,
        interval=tiles.interval(preset.images, rate, frames, gop, tile),
        max_sheet_bytes=1000 * preset.images.max_sheet_kilobytes,
        background=preset.alpha_over,
        at=tuple(at),
        poster=poster,
    )
