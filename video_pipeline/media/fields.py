"""Interlace: whether a source's pictures are two fields each, found out by measuring on samples.

Headers lie in both directions: film sent as interlaced (PsF), and interlaced pictures without any flag.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from video_pipeline.media import ffmpeg, process
from video_pipeline.media.combing import Look, look
from video_pipeline.media.limits import Limits
from video_pipeline.media.model import Fields
from video_pipeline.media.technical import FrameTiming, VideoStream
from video_pipeline.media.tools import Tools

SAMPLES = 3
GLANCE, PICTURES = 4, 26
"""Pictures of each sample: enough for most sources, and for all."""
WIDTH = 640
"""Of the middle strip that is looked at."""
LIMITS = Limits(cpu_seconds=120, memory=ffmpeg.MEMORY)
LINES = frozenset((480, 486, 512, 576, 608, 1080, 1088))
"""Of pictures that television sends in fields."""
SLOWEST, FASTEST = Fraction(23), Fraction(301, 10)
"""Pictures per second: what comes faster is not in fields."""
FILM = Fraction(29)
"""Pictures per second, at least, of film by 2:3 pulldown."""
TOLD = 3
"""If something moves in fewer pairs of pictures, what is said holds."""
TORN_SHARE, COMBED_SHARE = 0.1, 0.5
"""Of those pairs so many must be torn, or combed, where the source says that there are fields."""
SAMPLE_SHARE = 0.3
"""Of the pairs of one sample so many must be torn where it does not."""
ONE_SIDED = 0.8
"""Share of those with one order of fields."""


def suspected(video: VideoStream, timing: FrameTiming, interlaced: bool) -> bool:
    """Whether it is worth measuring; `interlaced` is what the first picture says."""
    flagged = interlaced or _flagged(video) != "progressive"
    like_television = video.height in LINES and video.rotation == 0 and not timing.variable
    return flagged or (like_television and SLOWEST < 1 / timing.common_step <= FASTEST)


def measure(tools: Tools, path: Path, video: VideoStream, timing: FrameTiming, first: Fields = "progressive") -> Fields:
    """Looks at samples of the video; `first` is what the first picture says.

    A few pictures are enough for a source that moves as whole frames do.
    """
    header = _flagged(video)
    said = first if header == "progressive" else header
    length = float(timing.end - timing.first)
    short = length < (SAMPLES + 1) * PICTURES * float(timing.common_step)
    starts = [0.0] if short else [length * n / (SAMPLES + 1) for n in range(1, SAMPLES + 1)]
    if said == "progressive":
        looks = _looks(tools, path, video, starts, PICTURES if short else GLANCE)
        if sum(one.told for one in looks) >= TOLD and not any(one.combed for one in looks):
            return "progressive"
    pictures = (SAMPLES + 1) * PICTURES if short else PICTURES
    looks = _looks(tools, path, video, starts, pictures, exact=True)
    return judge(looks, said, film=1 / timing.common_step >= FILM)


def flagged(interlaced: bool, top_first: bool) -> Fields:
    """As a picture says."""
    return ("top first" if top_first else "bottom first") if interlaced else "progressive"


def _flagged(video: VideoStream) -> Fields:
    """As the header says; the second letter of a mixed order is that of the fields as they are shown."""
    orders: dict[str, Fields] = {"tt": "top first", "bt": "top first", "bb": "bottom first", "tb": "bottom first"}
    return orders.get(video.field_order or "", "progressive")


def _looks(
    tools: Tools, path: Path, video: VideoStream, starts: Sequence[float], pictures: int, *, exact: bool = False
) -> list[Look]:
    """
    Args:
        exact: from those times on, not from the key frames before, which costs what lies between.
    """
    argvs = [_command(tools, path, video, start, pictures, exact) for start in starts]
    done = process.run_all(argvs, nice=tools.nice, limits=LIMITS, check=False)
    width = min(video.width, WIDTH)
    size = width * video.height
    read = [np.frombuffer(one.stdout, np.uint8, len(one.stdout) // size * size) for one in done]
    samples = [flat.reshape(-1, video.height, width) for flat in read]
    return [look(sample[n : n + PICTURES]) for sample in samples for n in range(0, len(sample), PICTURES)]


def _command(
    tools: Tools, path: Path, video: VideoStream, start: float, pictures: int, exact: bool
) -> list[str | Path]:
    # One thread: several would decode pictures ahead that nobody wants.
    argv: list[str | Path] = [tools.ffmpeg, "-v", "error", "-nostdin", "-noautorotate", "-threads", "1"]
    argv += [*([] if exact else ["-noaccurate_seek"]), "-ss", f"{start:.3f}"] if start else []
    strip = f"scale={video.width}:{video.height},crop={min(video.width, WIDTH)}:{video.height}:exact=1,format=gray"
    argv += [*ffmpeg.source(path), "-map", f"0:{video.index}", "-vf", strip]
    # Else those before the start would be dropped, and others repeated.
    return [*argv, "-fps_mode", "passthrough", "-frames:v", str(pictures), "-f", "rawvideo", "-"]


def judge(looks: Sequence[Look], said: Fields, *, film: bool) -> Fields:
    """From what the samples show; what cannot be told is what is said.

    Args:
        film: the rate is one at which film is sent by pulldown.
    """
    told, combed, torn, top = (
        sum(getattr(one, name) for one in looks) for name in ("told", "combed", "torn", "top_first")
    )
    if told < TOLD:
        return said
    top_first = top >= combed - top
    if film and 2 * sum(one.telecined for one in looks) >= sum(_of_fields(one) for one in looks) > 0:
        return "telecined" if top_first else "telecined bottom first"
    enough = any(map(_of_fields, looks))
    if said != "progressive":
        enough = enough or torn >= TORN_SHARE * told or combed >= COMBED_SHARE * told
    if not enough:
        return "progressive"
    if max(top, combed - top) < ONE_SIDED * combed:
        return said
    return "top first" if top_first else "bottom first"


def _of_fields(sample: Look) -> bool:
    return sample.torn >= max(TOLD, SAMPLE_SHARE * sample.told)
