"""A source that is already what a rung should be becomes that rung without being encoded again."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from video_pipeline.errors import CommandFailed
from video_pipeline.media import colour, ffmpeg
from video_pipeline.media.encoders import timescale
from video_pipeline.media.joining import join
from video_pipeline.media.model import EncodingPlan, LeftOut
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan

PICTURES = {8: "yuv420p", 10: "yuv420p10le"}
"""What every decoder of a family takes, by depth in bits."""


def applied(plan: EncodingPlan, source: TechnicalMetadata) -> EncodingPlan:
    """The plan in which each rung that the source already is takes over its packets."""
    rungs = tuple(
        rung.model_copy(update={"copied": why_not(plan, rung, source) is None}) if _same_size(rung, source) else rung
        for rung in plan.rungs
    )
    return plan.model_copy(update={"rungs": rungs})


def why_not(plan: EncodingPlan, rung: RungPlan, source: TechnicalMetadata) -> str | None:
    """Why the source's packets cannot be this rung, or None if they can."""
    video, timing, encoder = source.video, source.timing, plan.encoder(rung.family)
    if video.codec != rung.family:
        return f"it is {video.codec}"
    if not _same_size(rung, source) or video.sample_aspect != 1 or video.rotation or video.mirrored:
        return "its pictures have another size or shape"
    if video.pix_fmt != PICTURES[encoder.bit_depth]:
        return f"its pictures are {video.pix_fmt}"
    if encoder.video_range != "SDR" or colour.untagged(video):
        return "its colours are others, or not named"
    if not plan.seekable or timing.variable or source.damage or timing.frames != plan.frames or plan.skip or plan.lead:
        return "its pictures are not all of the rung's, one for one"
    if abs(timing.common_step * plan.rate - 1) > Fraction(1, 1000):
        return "it has another frame rate"
    if video.closed_gop is None or video.closed_gop != min(plan.gop, plan.frames):
        return f"its key frames are not {plan.gop} pictures apart, each closing what is before it"
    peak = 8 * (video.largest_gop or 0) / (video.closed_gop / plan.rate)
    if peak > rung.maxrate:
        return f"its bit rate reaches {float(peak) / 1000:.0f} kbit/s"
    return None


def refused(plan: EncodingPlan, source: TechnicalMetadata) -> Iterator[LeftOut]:
    """Rungs of the source's own size that are encoded all the same, with the reason."""
    for rung in plan.rungs:
        if _same_size(rung, source) and (why := why_not(plan, rung, source)):
            yield LeftOut(name=rung.name, why=why)


def copy(tools: Tools, source: Path, plan: EncodingPlan, rung: RungPlan, out: Path) -> None:
    """Writes the source's video track alone, its times on the plan's grid.

    Raises:
        SourceError: its packets cannot be written as MP4.
    """
    alone = out.with_suffix(".alone.mp4")
    args = [*ffmpeg.source(source), "-map", f"0:{plan.stream}", "-c", "copy"]
    args += ["-output_ts_offset", f"{-float(plan.start):.6f}", "-video_track_timescale", str(timescale(plan.rate))]
    args += ["-tag:v", "hvc1"] if rung.family == "hevc" else []
    args += ["-map_metadata", "-1", "-map_metadata:s:v", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]
    try:
        ffmpeg.ffmpeg(tools, [*args, ffmpeg.name(alone)])
    except CommandFailed as error:
        raise ffmpeg.undecodable("video", error) from None
    join(tools, [alone], [plan.frames], plan.rate, out)
    alone.unlink()


def _same_size(rung: RungPlan, source: TechnicalMetadata) -> bool:
    return (rung.width, rung.height) == (source.video.width, source.video.height)
