"""Probe a source once: what ffprobe lists, when its packets are shown, its first picture, one typed model.

A file whose packets do not tell when its pictures are shown is decoded to know.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from video_pipeline.errors import CommandFailed, SourceError
from video_pipeline.media import (
    captions,
    decoding,
    encryption,
    fields,
    listing,
    opening,
    packets,
    process,
    refusals,
    sounds,
    streams,
)
from video_pipeline.media.listing import fraction, integer
from video_pipeline.media.model import Chapter
from video_pipeline.media.opening import Opening
from video_pipeline.media.packets import Packets
from video_pipeline.media.technical import (
    Damage,
    FrameTiming,
    TechnicalMetadata,
    VideoStream,
    streams_of_clock,
)
from video_pipeline.media.tools import Tools, build, version

Listed = streams.Listed
CODE_VERSION = "4"
"""Raise it when the same file gives other findings."""


def probe(tools: Tools, path: Path, *, name: str | None = None) -> TechnicalMetadata:
    """What the file is; `name` is what people call it, in errors.

    Raises:
        SourceError: it cannot be read as media or holds no video; says which.
    """
    name = name or path.name
    table, log = _listing(tools, path, name)
    listed, about = table.get("streams", []), table["format"]
    if why := encryption.reason(path, about["format_name"], listed):
        raise SourceError(f"{name}: {why}")
    if not any(stream.get("width") for stream in listed) and (
        why := refusals.too_large(log) or refusals.other_kind(path)
    ):
        raise SourceError(f"{name}: {why}")
    video, read, first = _video(tools, path, name, listed)
    if streams.side_data(video, "DOVI configuration record").get("dv_profile") == 5:
        raise SourceError(f"{name}: {refusals.DOLBY_VISION_5}")
    described = _describe(video, first)
    if described.field_order in (None, "progressive", "unknown"):
        gop = {"closed_gop": read.closed_gop, "largest_gop": read.largest_gop if read.closed_gop else None}
        described = described.model_copy(update=gop)
    if not described.captions and captions.marked(path):
        described = described.model_copy(update={"captions": True})
    sound = tuple(streams.audio(stream) for stream in listed if streams.is_audio(stream))
    clock = streams_of_clock(about["format_name"], described.index, (stream.index for stream in sound))
    timing, damage = _clock(tools, path, name, about, described, read, clock)
    if missing := _missing(read, integer(video.get("nb_frames")), fraction(about.get("duration")), timing):
        damage = (damage or Damage(pictures=timing.frames, broken=0)).model_copy(update={"missing": missing})
    said = fields.flagged(first.interlaced, first.top_first)
    if fields.suspected(described, timing, first.interlaced):
        described = described.model_copy(update={"fields": fields.measure(tools, path, described, timing, said)})
    return TechnicalMetadata(
        container=about["format_name"],
        size=path.stat().st_size,
        start=fraction(about.get("start_time")) or Fraction(0),
        declared_duration=fraction(about.get("duration")),
        bit_rate=integer(about.get("bit_rate")),
        video=described,
        timing=timing,
        damage=damage,
        audio=sounds.listen(tools, path, sound, clock),
        others=tuple(
            streams.other(stream) for stream in listed if stream is not video and not streams.is_audio(stream)
        ),
        chapters=tuple(_chapter(chapter) for chapter in table.get("chapters", [])[:MOST_CHAPTERS]),
        tags=streams.tags(about),
    )


def _listing(tools: Tools, path: Path, name: str) -> tuple[dict[str, Any], str]:
    """What ffprobe lists, and its log."""
    if why := refusals.script(path):
        raise SourceError(f"{name}: {why}")
    try:
        raw, log = listing.ask(tools, path, "-show_format", "-show_streams", "-show_chapters", "-of", "json")
        table: dict[str, Any] = json.loads(raw)
    except CommandFailed as error:
        why = refusals.killed(error.status) or refusals.unreadable(error.log, path)
        raise SourceError(f"{name}: {why}", detail=error.detail) from None
    except listing.TooMuch:
        most = f"{listing.MOST_BYTES >> 20} MiB"
        raise SourceError(f"{name}: its tags, chapters and streams take more than {most} to list") from None
    return table, log


def checkpoint_key(tools: Tools, sha256: str) -> str:
    """Over all that decides what is found: the file, the programs that look, and this code."""
    parts = [CODE_VERSION, sha256, build(tools), version(tools.ffprobe)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _video(tools: Tools, path: Path, name: str, listed: list[Listed]) -> tuple[Listed, Packets, Opening]:
    """The stream a player would show, its packets and its first picture."""
    possible = streams.candidates(name, listed)
    found: dict[int, Packets] = {}
    first: Opening | None = None
    if len(possible) > 1:
        found = {stream["index"]: _packets(tools, path, name, stream["index"])[0] for stream in possible}
    video = streams.pick_video(name, listed, {index: read.count for index, read in found.items()})
    index, named = video["index"], integer(video.get("nb_frames"))
    if named and named > packets.MOST:
        raise SourceError(f"{name}: its index names {named:,} pictures; at most {packets.MOST:,} are read")
    found[index], first, log = _packets(tools, path, name, index, opened=True, decoder=streams.decoder(video))
    if not found[index].count:
        told = listing.log(tools, path, index)
        raise SourceError(f"{name}: {refusals.no_packet(told, named)}")
    if found[index].listed > packets.MOST:
        raise SourceError(f"{name}: the video has more than {packets.MOST:,} pictures")
    if found[index].count == 1 and (why := refusals.other_kind(path)):
        raise SourceError(f"{name}: {why}")
    if first is None:
        raise SourceError(f"{name}: {refusals.no_picture(log, path, video['codec_name'])}")
    return video, found[index], first


def _packets(
    tools: Tools, path: Path, name: str, index: int, *, opened: bool = False, decoder: str | None = None
) -> tuple[Packets, Opening | None, str]:
    """With `opened` also the first picture, and what the decoder said."""
    argvs = [packets.command(tools, path, index)]
    argvs += [opening.command(tools, path, index, decoder)] if opened else []
    done = process.run_all(argvs, nice=tools.nice, limits=opening.LIMITS, stall_seconds=opening.SECONDS, check=False)
    if done[0].status and not done[0].stdout:
        raise SourceError(f"{name}: its packets cannot be read: {refusals.unreadable(done[0].stderr, path)}")
    log = done[1].stderr if opened else ""
    return packets.read(done[0].stdout, done[0].stderr), opening.read(log), log


def _clock(
    tools: Tools,
    path: Path,
    name: str,
    about: Listed,
    video: VideoStream,
    read: Packets,
    clock: Sequence[int],
) -> tuple[FrameTiming, Damage | None]:
    """From the packets if they can be trusted, else from decoding."""
    start = fraction(about.get("start_time")) or Fraction(0)
    declared = fraction(about.get("duration"))
    progressive = video.field_order in (None, "progressive", "unknown")
    if packets.trusted(read, about["format_name"], video.codec, progressive):
        return packets.clock(read, video.time_base, start, declared, video.average_rate), None
    timing, damage = decoding.scan(tools, path, video.index, video.average_rate, declared, clock)
    if timing is None:
        raise SourceError(f"{name}: no picture of the video ({video.codec}) could be decoded")
    return timing, damage


def _missing(read: Packets, named: int | None, declared: Fraction | None, timing: FrameTiming) -> int:
    """Pictures behind the end of a file that was cut off: by its index, else by its declared duration."""
    if not read.cut:
        return 0
    if named:
        return max(0, named - read.listed)
    return max(0, round(((declared or timing.end) - timing.end) / timing.common_step))


def _describe(stream: Listed, first: Opening) -> VideoStream:
    rate = fraction(stream.get("avg_frame_rate")) or fraction(stream.get("r_frame_rate")) or Fraction(25)
    mirrored, rotation = streams.orientation(stream)
    dolby = streams.side_data(stream, "DOVI configuration record")
    return VideoStream(
        index=stream["index"],
        codec=stream["codec_name"],
        profile=stream.get("profile"),
        width=first.width,
        height=first.height,
        sample_aspect=_aspect(fraction(stream.get("sample_aspect_ratio", "").replace(":", "/")) or first.sample_aspect),
        mirrored=mirrored,
        rotation=rotation,
        pix_fmt=first.pix_fmt,
        bit_depth=_depth(first.pix_fmt),
        color_range=first.color_range,
        color_primaries=first.color_primaries,
        color_transfer=first.color_transfer,
        color_space=first.color_space,
        chroma_location=first.chroma_location,
        captions=first.captions,
        dolby_vision=dolby.get("dv_profile"),
        dolby_vision_base=bool(dolby.get("dv_bl_signal_compatibility_id", 1)),
        peak_luminance=first.peak_luminance,
        light=first.light,
        decoder=streams.decoder(stream),
        declared_rate=fraction(stream.get("r_frame_rate")) or rate,
        average_rate=rate,
        time_base=Fraction(stream["time_base"]),
        field_order=stream.get("field_order"),
        bit_rate=integer(stream.get("bit_rate")),
    )


MOST_CHAPTERS = 1000
"""Kept; everything a probe finds goes into Dagster's event log."""
MOST_ASPECT = 16
"""A sample that is longer than this is a mistake in the header."""


def _aspect(sample: Fraction | None) -> Fraction:
    return sample if sample and Fraction(1, MOST_ASPECT) <= sample <= MOST_ASPECT else Fraction(1)


def _depth(pix_fmt: str) -> int:
    """Bits of one component, by ffmpeg's name of the format."""
    found = re.search(r"(?:p|gray|x2rgb|x2bgr)(9|10|12|14|16)(?:le|be)?$|(48|64)(?:le|be)$", pix_fmt)
    return (int(found[1]) if found[1] else 16) if found else 8


def _chapter(chapter: dict[str, Any]) -> Chapter:
    title = streams.tags(chapter).get("title")
    return Chapter(start=float(chapter["start_time"]), end=float(chapter["end_time"]), title=title)
