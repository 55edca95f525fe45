"""One ffmpeg command: its global flags, what it may open, and its progress."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from video_pipeline.errors import CommandFailed, DependencyError, PipelineError, RequestError, SourceError
from video_pipeline.media import process
from video_pipeline.media.limits import Limits
from video_pipeline.media.process import Completed, Job
from video_pipeline.media.tools import Tools

STALL_SECONDS = 60.0
MEMORY = 16 * 2**30
"""Address space of a command that decodes or encodes, bytes."""
INDEX_MEMORY = 3 * 2**30
"""Of one that only reads what a file says about itself."""
TOO_BROKEN = 69
"""Status of ffmpeg when more than two thirds of a stream could not be decoded (-max_error_rate)."""
TOLERANT = ("-max_error_rate", "1")
"""Words of a command whose caller judges itself how much may be broken: what decodes counts, however little it is."""

MAX_PIXELS = 8192 * 8192
"""Of one picture of a source: twice the largest of any level of H.264, HEVC and AV1 that cameras use (8192x4352). A
header may promise 65535x65535 in a few bytes."""
# Demuxers that only read what is in the file itself. Playlists, concat scripts, MPD, SDP, IMF, vobsub and numbered
# pictures (image2) are not among them: inside a renamed upload they would read other files or sockets.
FORMATS = ",".join(
    """aac ac3 aiff apng apv asf av1 avi bmp_pipe caf cavsvideo dhav dirac dnxhd dv eac3 evc flac flic flv gif gxf h261
    h263 h264 hevc ivf ivr jpeg_pipe kux live_flv m4v matroska mjpeg mlv mov mp3 mpeg mpegts mpegtsraw mpegvideo mpjpeg
    mxf nsv nut nuv obu ogg png_pipe rm smjpeg swf tiff_pipe vc1 vc1test vvc wav webp_anim webp_pipe wtv wv
    yuv4mpegpipe""".split()
)
READER_OPTIONS: dict[str, str] = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
"""Of what reads a file from outside."""
SOURCE_OPTIONS: dict[str, str] = {**READER_OPTIONS, "max_pixels": str(MAX_PIXELS)}
"""Input options of every file that came from outside; `source` has them as words."""


def name(path: Path) -> str:
    """A file by a name that is nothing but one: "concat:a|b", "subfile,,start,0,:a" and "-" are names of files too."""
    return os.path.abspath(path)


def source(path: Path) -> list[str]:
    """The words that open a file from outside."""
    options = [word for key, value in SOURCE_OPTIONS.items() for word in (f"-{key}", value)]
    return [*options, "-i", name(path)]


def aside(streams: Iterable[int], file: int = 0) -> list[str]:
    """The words of one more output, which takes these streams of an input without decoding and throws them away.

    In a broadcast container ffmpeg counts time from the first packet of the streams it reads, and closes a jump of the
    clock as the first of them sees it: two runs over a file agree on the time only if they read the same streams.
    """
    maps = [word for index in streams for word in ("-map", f"{file}:{index}")]
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
    memory: int | None = MEMORY,
) -> Completed:
    """Runs ffmpeg with `args` after its global flags.

    Args:
        duration: of the output, seconds; with it `on_progress` gets the share that is done, 0 to 1.
        on_output: gets standard output as it comes.
        on_log: gets the log as it comes, warnings and repeated lines included.
        memory: address space, bytes; None for as much as it asks for.

    Raises:
        CommandFailed, StalledError, DiskFull, ToolMissing: see `process.run`.
    """
    job = prepared(tools, args, duration=duration, on_progress=on_progress, cwd=cwd, on_output=on_output, on_log=on_log)
    return process.run(
        job.argv,
        cwd=cwd,
        nice=tools.nice,
        limits=Limits(memory=memory),
        stall_seconds=stall_seconds,
        on_stdout=job.on_stdout,
        on_stderr=job.on_stderr,
    )


def prepared(
    tools: Tools,
    args: Sequence[str],
    *,
    duration: Fraction | None = None,
    on_progress: Callable[[float], None] | None = None,
    cwd: Path | None = None,
    on_output: Callable[[bytes], None] | None = None,
    on_log: Callable[[bytes], None] | None = None,
    done: Callable[[Completed], None] = lambda _: None,
) -> Job:
    """The same command, for a queue."""
    argv: list[str | Path] = [tools.ffmpeg, "-hide_banner", "-nostdin", "-y", "-loglevel"]
    argv += ["repeat+warning" if on_log else "error"]
    watch = on_output
    if duration and on_progress:
        argv += ["-progress", "pipe:1", "-stats_period", "0.5"]
        watch = _progress(duration, on_progress, on_output)
    return Job([*argv, *args], done, watch, on_log, cwd)


def run_queue(tools: Tools, jobs: Iterable[Job], at_once: int, memory: int | None = MEMORY) -> None:
    """Runs commands of `prepared`, up to `at_once` at a time. Raises as `ffmpeg`.

    Args:
        memory: address space of each, bytes; None for as much as it asks for.
    """
    process.run_queue(jobs, at_once, nice=tools.nice, limits=Limits(memory=memory), stall_seconds=STALL_SECONDS)


def undecodable(what: str, error: CommandFailed) -> PipelineError:
    """The error of a command that failed while it read a source: the source's fault, unless a signal ended it or an
    encoder was not to be opened."""
    if error.status < 0:
        return error
    if closed := _UNOPENED.search(error.log):
        sentence = f"encoder {closed[1]} cannot be opened: {complaint(error.log)}"
        # What a card does not do now it may do later; a program never takes settings that it does not take now.
        kind = DependencyError if closed[1].endswith(("_nvenc", "_vaapi")) else RequestError
        return kind(sentence, detail=error.detail)
    telling = [line for line in _plain(error.log) if "Terminating thread" not in line and "-1145393733" not in line]
    for line in telling:
        if line.startswith(("Unrecognized option", "Error setting option", "Error parsing option")):
            return RequestError(f"ffmpeg does not know an option of the preset: {line}", detail=error.detail)
    reason = "most of it is broken" if error.status == TOO_BROKEN else (telling or ["no reason given"])[-1]
    return SourceError(f"the {what} cannot be decoded: {reason}", detail=error.detail)


def complaint(log: str) -> str:
    """What an encoder says that cannot be opened: the first word of it, for ffmpeg's own follow."""
    told = (line for line in _plain(log) if not _REMARKS.match(line))
    return re.sub(r"^(x26[45] |Svt)\[error\]: ", "", next(told, "no reason given")).removesuffix(".")


_UNOPENED = re.compile(r"\[enc:([\w-]+) @ \w+\] Error while opening encoder")
_REMARKS = re.compile(r"Svt\[(info|warn)\]|x26[45] \[(info|warning)\]|Codec AVOption .* has not been used")


def _plain(log: str) -> list[str]:
    """The lines without the names of the parts of ffmpeg that say them."""
    lines = (re.sub(r"^(\[[^]]*\] ?)+", "", line).strip() for line in log.splitlines())
    return [line for line in lines if line]


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
