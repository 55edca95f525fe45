"""Encode the sound: every planned track, whole, cut and padded to the plan's clock, in one reading of the source."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from video_pipeline.errors import CommandFailed
from video_pipeline.media import aac, ffmpeg, levelling, process
from video_pipeline.media.bitrate import average_and_peak
from video_pipeline.media.encode import packet_list
from video_pipeline.media.files import blob_of
from video_pipeline.media.model import AudioPlan, EncodingPlan
from video_pipeline.media.products import Track
from video_pipeline.media.tools import Tools

CODE_VERSION = "2"
"""Part of every checkpoint's key: raise it when the same plan gives other bits."""
RAW = ("-f", "s16le", "-c:a", "pcm_s16le")
Gains = Mapping[str, float]
"""Track name to dB."""
NO_GAINS: Gains = {}
# What lies before the first picture is cut; a late start and gaps become silence; sound that runs slower or faster than
# its time stamps is stretched by up to 1 % until it is right.
FOLLOW_CLOCK = "async=480:min_hard_comp=0.04:first_pts=0"
# ITU-R BS.775-3, table 2: 3 dB less of the centre and of each side, nothing of the low frequencies. A sum beyond full
# scale is the limiter's.
DOWNMIX = "center_mix_level=0.7071:surround_mix_level=0.7071:lfe_mix_level=0:rematrix_maxval=1000"


def encode(
    tools: Tools,
    source: Path,
    plan: EncodingPlan,
    tracks: Sequence[AudioPlan],
    out_dir: Path,
    *,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[Track, ...]:
    """Encodes the planned tracks into `<out_dir>/<name>.mp4`, each as long as planned.

    In one piece: joined AAC pieces have 24 ms of silence at every seam.

    Raises:
        SourceError: a stream cannot be decoded.
    """
    if not tracks:
        return ()
    try:
        gains = levelling.gains(tools, tracks, lambda gains: measuring(source, plan, tracks, gains))
        args = command(source, plan, tracks, out_dir, gains)
        ffmpeg.ffmpeg(tools, args, duration=plan.duration, on_progress=on_progress)
    except CommandFailed as error:
        raise ffmpeg.undecodable("audio", error) from None
    made = []
    for track in tracks:
        out = out_dir / f"{track.name}.mp4"
        if track.channels == 8:
            aac.state_as_7(out)
        packets = process.run(packet_list(tools, out), nice=tools.nice)
        average, peak = average_and_peak(packets.stdout, plan, track.end)
        made.append(Track(name=track.name, file=blob_of(out), bit_rate=average, peak_bit_rate=peak))
    return tuple(made)


def command(
    source: Path, plan: EncodingPlan, tracks: Sequence[AudioPlan], out_dir: Path, gains: Gains = NO_GAINS
) -> list[str]:
    """The arguments of that ffmpeg, without its global flags."""
    args = _inputs(source, plan, tracks)
    for track in tracks:
        args += ["-filter_complex", f"{_sound(track, gains)}[{track.name}]", "-map", f"[{track.name}]"]
        args += ["-c:a", track.codec, "-b:a", str(track.bit_rate), "-flags:a", "+bitexact", "-fflags", "+bitexact"]
        args += ["-map_metadata", "-1", "-map_chapters", "-1", *ffmpeg.TOLERANT, str(out_dir / f"{track.name}.mp4")]
    return [*args, *_aside(plan, tracks)]


def measuring(source: Path, plan: EncodingPlan, tracks: Sequence[AudioPlan], gains: Gains) -> list[str]:
    """The arguments of an ffmpeg that measures each track's loudness with these gains, instead of encoding it."""
    args = _inputs(source, plan, tracks)
    for track in tracks:
        measured = f"{_sound(track, gains)},ebur128@{track.name}=framelog=quiet[{track.name}]"
        args += ["-filter_complex", measured, "-map", f"[{track.name}]", *ffmpeg.TOLERANT, "-f", "null", "-"]
    return [*args, *_aside(plan, tracks)]


def listening(
    source: Path, plan: EncodingPlan, tracks: Sequence[AudioPlan], out_dir: Path, filters: Mapping[str, str]
) -> list[str]:
    """The arguments of an ffmpeg that writes what each track is made of, through `filters` by its name, to
    `<out_dir>/<name>.raw` as samples of 16 bits: before it is levelled and limited."""
    args = _inputs(source, plan, tracks)
    for track in tracks:
        steps = f"{_heard(track)},atrim=end={float(track.end):.6f},{filters[track.name]}[{track.name}]"
        args += ["-filter_complex", steps, "-map", f"[{track.name}]", *ffmpeg.TOLERANT, *RAW]
        args.append(str(out_dir / f"{track.name}.raw"))
    return [*args, *_aside(plan, tracks)]


def _inputs(source: Path, plan: EncodingPlan, tracks: Sequence[AudioPlan]) -> list[str]:
    """The source, and of each of its streams a graph that gives `[<track>.in]` for all that is made of it.

    A stream may change its channels or its rate on the way, and then its graph is made anew; a track's clock goes on in
    a graph of its own behind it. Silence follows the last sample here: a graph behind a graph cannot add any.
    """
    streams = {track.stream: None for track in tracks if track.stream is not None}
    args = ffmpeg.source(source) if streams else []
    for stream in streams:
        mixes = [track for track in tracks if track.stream == stream]
        pick = f"{mixes[0].pick}," if mixes[0].pick else ""
        chain = f"[0:{stream}]asetpts=PTS-{float(plan.start):.6f}/TB,{pick}asplit={len(mixes)}"
        chain += "".join(f"[{track.name}.split]" for track in mixes)
        for track in mixes:
            form = f"{track.sample_rate}:ochl={track.layout}:osf=fltp:{DOWNMIX}"
            chain += f";[{track.name}.split]aresample={form},apad[{track.name}.in]"
        args += ["-filter_complex", chain]
    return args


def _sound(track: AudioPlan, gains: Gains) -> str:
    """The filters of one track, from its channels to what is encoded."""
    if track.stream is None:
        filters = [f"anullsrc=channel_layout={track.layout}:sample_rate={track.sample_rate}"]
    else:
        filters = [_heard(track)]
        if track.name in gains:
            filters += [f"volume={gains[track.name]:.2f}dB:precision=float"]
        if track.limited or track.name in gains:
            filters += levelling.limited(track.sample_rate)
    return ",".join([*filters, f"atrim=end={float(track.end):.6f}"])


def _heard(track: AudioPlan) -> str:
    return f"[{track.name}.in]aresample={track.sample_rate}:{FOLLOW_CLOCK}"


def _aside(plan: EncodingPlan, tracks: Sequence[AudioPlan]) -> list[str]:
    read = {track.stream for track in tracks}
    return ffmpeg.aside(index for index in plan.clock if index not in read) if read != {None} else []


def checkpoint_key(plan: EncodingPlan, audio: AudioPlan, build: str) -> str:
    """Over all that shapes the bits of the track."""
    shape = audio.model_dump_json(exclude={"name", "label", "language", "default", "broken", "lost"})
    parts = [CODE_VERSION, plan.source_sha256, plan.start, plan.clock, shape, build]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
