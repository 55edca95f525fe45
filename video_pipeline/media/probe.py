"""Probe a source once: two ffprobe passes without decoding, one typed model."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

from video_pipeline.errors import CommandFailed, SourceError
from video_pipeline.media import ffmpeg, process
from video_pipeline.media.first_frame import pixel_format
from video_pipeline.media.limits import Limits
from video_pipeline.media.model import AudioStream, FrameTiming, OtherStream, Rotation, TechnicalMetadata, VideoStream
from video_pipeline.media.tools import Tools

# A header that promises more than this is a decompression bomb, not a video: 16 times 8K.
MAX_PIXELS = 16 * 7680 * 4320
PROBE_SECONDS = 60
# What an MP4 or MOV file starts with; anything else was only named so.
MP4_BOXES = frozenset((b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"))


def probe(tools: Tools, path: Path, *, name: str | None = None) -> TechnicalMetadata:
    """What the file is; `name` is what people call it, in errors.

    Raises:
        SourceError: it cannot be read as media or holds no video; says which.
    """
    name = name or path.name
    try:
        raw = _ffprobe(tools, path, ["-show_format", "-show_streams", "-of", "json"])
    except CommandFailed as error:
        raise SourceError(f"{name}: {_reason(error.log, path)}", detail=error.detail) from None
    table = json.loads(raw)
    streams = table.get("streams", [])
    video, others = _pick_video(name, streams)
    start = _fraction(table["format"].get("start_time")) or Fraction(0)
    return TechnicalMetadata(
        container=table["format"]["format_name"],
        size=path.stat().st_size,
        start=start,
        declared_duration=_fraction(table["format"].get("duration")),
        bit_rate=_integer(table["format"].get("bit_rate")),
        video=_video(name, video, video.get("pix_fmt") or pixel_format(tools, path, video["index"])),
        timing=_timing(tools, path, name, video, start),
        audio=tuple(_audio(stream) for stream in streams if _is_audio(stream)),
        others=tuple(_other(stream) for stream in others),
        tags={key.lower(): value for key, value in table["format"].get("tags", {}).items()},
    )


def _ffprobe(tools: Tools, path: Path, args: list[str]) -> bytes:
    argv: list[str | Path] = [tools.ffprobe, "-v", "error", *args, *ffmpeg.source(path)]
    limits = Limits(cpu_seconds=PROBE_SECONDS)
    return process.run(argv, nice=tools.nice, limits=limits, stall_seconds=PROBE_SECONDS).stdout


def _reason(log: str, path: Path) -> str:
    """ffprobe's last words, in ours where its own mislead."""
    with path.open("rb") as file:
        box = file.read(8)[4:]
    if "moov atom not found" in log and box in MP4_BOXES:
        return "its index (moov atom) is missing; the file was probably cut off while it was written"
    if "moov atom not found" in log or "Invalid data found when processing input" in log:
        return "it is not a video file that can be read"
    lines = [line for line in log.splitlines() if line.strip()]
    last = lines[-1].replace(str(path), "the file") if lines else "unknown error"
    return f"it cannot be read as media: {last}"


def _pick_video(name: str, streams: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The stream a player would show, and everything that is neither it nor sound."""
    moving = [
        stream
        for stream in streams
        if stream.get("codec_type") == "video"
        and not stream.get("disposition", {}).get("attached_pic")
        and int(stream.get("width") or 0) * int(stream.get("height") or 0) > 0
    ]
    if not moving:
        held = sorted({stream.get("codec_type", "unknown") for stream in streams})
        if "video" in held:
            raise SourceError(f"{name}: nothing but a cover, or a video whose picture size cannot be read, is in it")
        raise SourceError(f"{name}: there is no video in it (it holds {', '.join(held) or 'no stream'})")
    known = [stream for stream in moving if stream.get("codec_name", "unknown") != "unknown"]
    if not known:
        tag = moving[0].get("codec_tag_string", "?")
        raise SourceError(f"{name}: the video's codec ({tag}) is not supported")
    best = max(
        known,
        key=lambda stream: (
            bool(stream.get("disposition", {}).get("default")),
            int(stream["width"]) * int(stream["height"]),
            -int(stream["index"]),
        ),
    )
    if int(best["width"]) * int(best["height"]) > MAX_PIXELS:
        raise SourceError(f"{name}: a picture of {best['width']}x{best['height']} is too large")
    return best, [stream for stream in streams if stream is not best and not _is_audio(stream)]


def _video(name: str, stream: dict[str, Any], pix_fmt: str | None) -> VideoStream:
    if pix_fmt is None:
        raise SourceError(f"{name}: no picture of the video ({stream['codec_name']}) could be decoded")
    rate = _fraction(stream.get("avg_frame_rate")) or _fraction(stream.get("r_frame_rate")) or Fraction(25)
    return VideoStream(
        index=stream["index"],
        codec=stream["codec_name"],
        profile=stream.get("profile"),
        width=stream["width"],
        height=stream["height"],
        sample_aspect=_fraction(stream.get("sample_aspect_ratio", "").replace(":", "/")) or Fraction(1),
        rotation=_rotation(stream),
        pix_fmt=pix_fmt,
        bit_depth=_integer(stream.get("bits_per_raw_sample")) or _depth(pix_fmt),
        color_range=stream.get("color_range"),
        color_primaries=stream.get("color_primaries"),
        color_transfer=stream.get("color_transfer"),
        color_space=stream.get("color_space"),
        declared_rate=_fraction(stream.get("r_frame_rate")) or rate,
        average_rate=rate,
        time_base=Fraction(stream["time_base"]),
        field_order=stream.get("field_order"),
        bit_rate=_integer(stream.get("bit_rate")),
    )


def _rotation(stream: dict[str, Any]) -> Rotation:
    """Clockwise; ffprobe tells the display matrix's counterclockwise angle."""
    turns: tuple[Rotation, ...] = (0, 90, 180, 270)
    for data in stream.get("side_data_list", []):
        if "rotation" in data:
            return turns[round(-float(data["rotation"]) / 90) % 4]
    return 0


def _depth(pix_fmt: str) -> int:
    return next((depth for depth in (16, 14, 12, 10, 9) if f"p{depth}" in pix_fmt), 8)


def _timing(tools: Tools, path: Path, name: str, video: dict[str, Any], start: Fraction) -> FrameTiming:
    """Reads every packet's time; a packet an edit list hides (flag D) does not count.

    Times are made relative to the container's start, as ffmpeg does when it decodes.
    """
    selected = ["-select_streams", str(video["index"]), "-show_entries", "packet=pts,dts,duration,flags"]
    try:
        rows = _ffprobe(tools, path, [*selected, "-of", "csv=p=0"]).decode().split()
    except CommandFailed as error:
        raise SourceError(f"{name}: its packets cannot be read: {_reason(error.log, path)}") from None
    tick = Fraction(video["time_base"])
    shown: dict[int, int] = {}
    for row in rows:
        pts, dts, duration, flags = (*row.split(","), "", "", "", "")[:4]
        time = _integer(pts) if _integer(pts) is not None else _integer(dts)
        if time is not None and "D" not in flags:
            shown[time] = _integer(duration) or 0
    rate = _fraction(video.get("avg_frame_rate")) or _fraction(video.get("r_frame_rate")) or Fraction(25)
    if not shown:
        untimed = sum("D" not in row for row in rows)
        if not untimed:
            raise SourceError(f"{name}: the video has no frame")
        # Raw streams carry no time: the declared rate is all there is.
        return FrameTiming(
            frames=untimed,
            first=Fraction(0),
            end=untimed / rate,
            common_step=1 / rate,
            short_step=1 / rate,
            variable=False,
        )
    times = sorted(shown)
    steps = Counter(later - earlier for earlier, later in itertools.pairwise(times))
    common = steps.most_common(1)[0][0] if steps else shown[times[0]] or max(1, round(1 / (rate * tick)))
    variable = any(abs(step - common) > max(1.5, 0.02 * common) for step in steps)
    last = shown[times[-1]] or common
    return FrameTiming(
        frames=len(times),
        first=times[0] * tick - start,
        end=(times[-1] + last) * tick - start,
        common_step=common * tick,
        short_step=_short_step(steps, common) * tick,
        variable=variable,
    )


def _short_step(steps: Counter[int], common: int) -> int:
    shorter = 0
    for step, count in sorted(steps.items()):
        shorter += count
        if shorter * 10 >= steps.total():
            return step
    return common


def _is_audio(stream: dict[str, Any]) -> bool:
    known = stream.get("codec_name", "unknown") not in ("unknown", "none")
    return stream.get("codec_type") == "audio" and known and bool(_integer(stream.get("channels")))


def _audio(stream: dict[str, Any]) -> AudioStream:
    tags = stream.get("tags", {})
    language = tags.get("language")
    return AudioStream(
        index=stream["index"],
        codec=stream["codec_name"],
        channels=int(stream["channels"]),
        layout=stream.get("channel_layout"),
        sample_rate=_integer(stream.get("sample_rate")) or 0,
        language=None if language in (None, "", "und") else language,
        title=tags.get("title"),
        default=bool(stream.get("disposition", {}).get("default")),
        bit_rate=_integer(stream.get("bit_rate")),
    )


def _other(stream: dict[str, Any]) -> OtherStream:
    tags = stream.get("tags", {})
    return OtherStream(
        index=stream["index"],
        kind=stream.get("codec_type", "unknown"),
        codec=stream.get("codec_name"),
        language=tags.get("language"),
        title=tags.get("title"),
    )


def _fraction(text: object) -> Fraction | None:
    """None for what ffprobe writes when it does not know: "N/A", "0/0", "0"."""
    try:
        return Fraction(str(text)) or None
    except (ValueError, ZeroDivisionError):
        return None


def _integer(text: object) -> int | None:
    try:
        return int(str(text))
    except ValueError:
        return None
