"""Encode the sound: one track, whole, cut and padded to the plan's clock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import ffmpeg as graph

from video_pipeline.errors import CommandFailed
from video_pipeline.media import ffmpeg, process
from video_pipeline.media.bitrate import average_and_peak
from video_pipeline.media.encode import packet_list
from video_pipeline.media.files import blob_of
from video_pipeline.media.model import AudioPlan, EncodingPlan
from video_pipeline.media.products import Track
from video_pipeline.media.tools import Tools

NAME = "audio"


def encode(
    tools: Tools,
    source: Path,
    plan: EncodingPlan,
    audio: AudioPlan,
    out_dir: Path,
    *,
    on_progress: Callable[[float], None] | None = None,
) -> Track:
    """Encodes the planned stream into `<out_dir>/audio.mp4`, as long as the video.

    In one piece: joined AAC pieces have 24 ms of silence at every seam.

    Raises:
        SourceError: the stream cannot be decoded.
    """
    out = out_dir / f"{NAME}.mp4"
    try:
        ffmpeg.ffmpeg(tools, command(source, plan, audio, out), duration=plan.duration, on_progress=on_progress)
    except CommandFailed as error:
        raise ffmpeg.undecodable("audio", error) from None
    packets = process.run(packet_list(tools, out), nice=tools.nice)
    average, peak = average_and_peak(packets.stdout, plan)
    return Track(name=NAME, file=blob_of(out), bit_rate=average, peak_bit_rate=peak)


def command(source: Path, plan: EncodingPlan, audio: AudioPlan, out: Path) -> list[str]:
    """The arguments of that ffmpeg, without its global flags."""
    start, duration = (f"{float(value):.6f}" for value in (plan.start, plan.duration))
    sound = graph.input(str(source), **ffmpeg.SOURCE_OPTIONS)[str(audio.stream)]
    # A gap in the source's clock becomes silence, a late start too; what lies before the first picture is cut.
    sound = sound.filter("asetpts", f"PTS-{start}/TB")
    sound = sound.filter("aresample", audio.sample_rate, **{"async": 1, "first_pts": 0})
    sound = sound.filter("aformat", sample_fmts="fltp", channel_layouts="stereo")
    sound = sound.filter("apad").filter("atrim", end=duration)
    args: list[str] = graph.output(
        sound,
        str(out),
        **{
            "c:a": audio.codec,
            "b:a": audio.bit_rate,
            "flags:a": "+bitexact",
            "map_metadata": -1,
            "map_chapters": -1,
            "fflags": "+bitexact",
        },
    ).get_args()
    return args


def checkpoint_key(plan: EncodingPlan, audio: AudioPlan, build: str) -> str:
    """Over all that shapes the bits of the track."""
    parts = [plan.source_sha256, plan.start, plan.duration, audio.model_dump_json(), build]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
