"""One ffmpeg command: its global flags, what it may open, and its progress."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from video_pipeline.errors import CommandFailed, PipelineError, RequestError, SourceError
from video_pipeline.media import process
from video_pipeline.media.limits import Limits
from video_pipeline.media.process import Completed
from video_pipeline.media.tools import Tools

STALL_SECONDS = 60.0
MEMORY = 16 * 2**30
TOO_BROKEN = 69
"""Status of ffmpeg when more than two thirds of a stream could not be decoded (-max_error_rate)."""

# Demuxers that only read what is in the file itself. Playlists, concat scripts, MPD and SDP are not among them: inside
# a renamed upload they would read other files or sockets.
FORMATS = ",".join(
    """aac,ac3,aiff,asf,av1,avi,caf,dv,dvr-ms,eac3,flac,flv,gif,gxf,h261,h263,h264,hevc,ivf,live_flv,m4v,matroska,webm,
    mjpeg,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mpegtsraw,mpegvideo,mxf,nsv,nut,obu,ogg,rm,swf,vc1,vc1test,vob,wav,
    wtv,wv,y4m,yuv4mpegpipe,apng,png_pipe,jpeg_pipe,webp_pipe,ism,ismv""".split()
).replace(",,", ",")
SOURCE_OPTIONS: dict[str, str] = {"protocol_whitelist": "file,pipe", "format_whitelist": FORMATS}
"""Input options of every file that came from outside; `source` has them as words."""


def source(path: Path) -> list[str]:
    """The words that open a file from outside."""
    options = [word for name, value in SOURCE_OPTIONS.items() for word in (f"-{name}", value)]
    return [*options, "-i", str(path)]


def aside(streams: Iterable[int]) -> list[str]:
    """The words of one more output, which takes these streams without decoding and throws them away.

    In a broadcast container ffmpeg counts time from the first packet of the streams it reads, and closes a jump of the
    clock as the first of them sees it: two runs over a file agree on the time only if they read the same streams.
    """
    maps = [word for index in streams for word in ("-map", f"0:{index}")]
    return [*maps, "-c", "copy", "-f", "null", "-"] if maps else []


def ffmpeg(
    tools: Tools,
    args: Sequence[str],
    *,
    duration: Fraction | None = None,
    on_progress: Callable[[float], None] | None = None,
    cwd: Path | None = None,
    stall_seconds: float = STALL_SECONDS,
    on_output: Callable[[bytes], None] | None = None,
    on_log: Callable[[bytes], None] | None = None,
) -> Completed:
    """Runs ffmpeg with `args` after its global flags.

    Args:
        duration: of the output, seconds; with it `on_progress` gets the share that is done, 0 to 1.
        on_output: gets standard output as it comes.
        on_log: gets the log as it comes, warnings and repeated lines included.

    Raises:
        CommandFailed, StalledError, DiskFull, ToolMissing: see `process.run`.
    """
    argv: list[str | Path] = [tools.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel"]
    argv += ["repeat+warning" if on_log else "error"]
    watch = on_output
    if duration and on_progress:
        argv += ["-progress", "pipe:1", "-stats_period", "0.5"]
        watch = _progress(duration, on_progress, on_output)
    return process.run(
        [*argv, *args],
        cwd=cwd,
        nice=tools.nice,
        limits=Limits(memory=MEMORY),
        stall_seconds=stall_seconds,
        on_stdout=watch,
        on_stderr=on_log,
    )


def undecodable(what: str, error: CommandFailed) -> PipelineError:
    """The error of a command that failed while it read a source: the source's fault, unless a signal ended it."""
    if error.status < 0:
        return error
    lines = [re.sub(r"^(\[[^]]*\] ?)+", "", line) for line in error.log.splitlines()]
    telling = [line for line in lines if line and "Terminating thread" not in line and "-1145393733" not in line]
    for line in telling:
        if line.startswith(("Unrecognized option", "Error setting option", "Error parsing option")):
            return RequestError(f"ffmpeg does not know an option of the preset: {line}", detail=error.detail)
    reason = "most of it is broken" if error.status == TOO_BROKEN else (telling or ["no reason given"])[-1]
    return SourceError(f"the {what} cannot be decoded: {reason}", detail=error.detail)


def _progress(
    duration: Fraction, tell: Callable[[float], None], on_output: Callable[[bytes], None] | None
) -> Callable[[bytes], None]:
    rest = b""

    def take(data: bytes) -> None:
        nonlocal rest
        if on_output:
            on_output(data)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            name, _, value = line.partition(b"=")
            if name == b"out_time_us" and value.strip().lstrip(b"-").isdigit():
                tell(min(1.0, max(0.0, int(value) / 1e6 / float(duration))))

    return take
