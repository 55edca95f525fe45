"""Interlace: whether a source's pictures are two fields each, found out by measuring on samples.

Headers lie in both directions: film sent as interlaced (PsF), and interlaced pictures without any flag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from video_pipeline.media import combing, ffmpeg, process
from video_pipeline.media.limits import Limits
from video_pipeline.media.model import Fields
from video_pipeline.media.technical import FrameTiming, VideoStream
from video_pipeline.media.tools import Tools

SAMPLES = 3
PICTURES = 25
"""Decoded at each."""
LIMITS = Limits(cpu_seconds=120, memory=ffmpeg.MEMORY)
LINES = frozenset((480, 486, 512, 576, 608, 1080, 1088))
"""Of pictures that television sends in fields."""
CODECS = frozenset("mpeg2video mpeg1video h264 dvvideo mpeg4 mjpeg prores dnxhd vc1 rawvideo v210 huffyuv ffv1".split())
"""In which fields are found; nobody sends them in others."""
FASTEST = Fraction(301, 10)
"""Pictures per second: what comes faster is not in fields."""
SHARE, UNFLAGGED_SHARE = 0.15, 0.6
"""Of the pictures that can be told, this many must show combing: some do in any video, so more are needed where
nothing says that there are fields."""
TOLD = 0.25
"""If less of the pictures can be told, what is said holds."""
ONE_SIDED = 4
"""Combing of real fields has one order: this many times as often as the other."""
REPEATED = (0.1, 0.3)
"""Share of pictures that repeat a field of the one before: a fifth in film at 24/s sent at 30/s (2:3 pulldown)."""


def suspected(video: VideoStream, timing: FrameTiming, interlaced: bool) -> bool:
    """Whether it is worth measuring; `interlaced` is what the first picture says."""
    flagged = interlaced or _flagged(video) != "progressive"
    like_television = video.height in LINES and video.codec in CODECS and video.rotation == 0
    return flagged or (like_television and Fraction(23) < 1 / timing.common_step <= FASTEST and not timing.variable)


def measure(tools: Tools, path: Path, video: VideoStream, timing: FrameTiming) -> Fields:
    """Looks at samples of the video for combing (ffmpeg's idet), repeated fields and flags."""
    length = float(timing.end - timing.first)
    short = length < (SAMPLES + 1) * PICTURES * float(timing.common_step)
    starts = [0.0] if short else [length * n / (SAMPLES + 1) for n in range(1, SAMPLES + 1)]
    argvs = [_command(tools, path, video.index, start) for start in starts]
    done = process.run_all(argvs, nice=tools.nice, limits=LIMITS, check=False, keep_log=True)
    logs = [one.stderr for one in done]
    said = _said(logs, _flagged(video))
    found = judge(logs, said)
    if said == "progressive" and found != "progressive":
        # Fine patterns fool idet; where nothing says that there are fields, the pixels must.
        return found if combing.are_fields(tools, path, video, starts[len(starts) // 2]) else "progressive"
    return found


def _flagged(video: VideoStream) -> Fields:
    """As the header says; the second letter of a mixed order is that of the fields as they are shown."""
    orders: dict[str, Fields] = {"tt": "top first", "bt": "top first", "bb": "bottom first", "tb": "bottom first"}
    return orders.get(video.field_order or "", "progressive")


def _command(tools: Tools, path: Path, stream: int, start: float) -> list[str | Path]:
    argv: list[str | Path] = [tools.ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-noautorotate"]
    # From the key frame before: what lies between would be decoded for nothing.
    argv += ["-noaccurate_seek", "-ss", f"{start:.3f}"] if start else []
    argv += [*ffmpeg.source(path), "-map", f"0:{stream}", "-vf", "showinfo=checksum=0,idet"]
    return [*argv, "-frames:v", str(PICTURES), "-f", "null", "-"]


def _said(logs: Sequence[str], header: Fields) -> Fields:
    """By the header, else by the flags of the pictures."""
    text = "\n".join(logs)
    top, bottom, whole = (len(re.findall(rf" i:{letter} ", text)) for letter in "TBP")
    if header != "progressive" or top + bottom <= whole:
        return header
    return "top first" if top >= bottom else "bottom first"


def judge(logs: Sequence[str], flagged: Fields) -> Fields:
    """From what idet counted in each sample; what cannot be told is what `flagged` says it is."""
    text = "\n".join(logs)
    top, bottom, whole, dark = _sum(text, "Single frame detection", "TFF", "BFF", "Progressive", "Undetermined")
    combed, told = top + bottom, top + bottom + whole
    if told <= TOLD * (told + dark):
        return flagged
    needed = UNFLAGGED_SHARE if flagged == "progressive" else SHARE
    if combed < needed * told:
        return "progressive"
    if max(top, bottom) < ONE_SIDED * min(top, bottom):
        return flagged
    neither, repeated_top, repeated_bottom = _sum(text, "Repeated Fields", "Neither", "Top", "Bottom")
    repeated = repeated_top + repeated_bottom
    if REPEATED[0] <= repeated / max(1, repeated + neither) <= REPEATED[1]:
        return "telecined"
    return "top first" if top >= bottom else "bottom first"


def _sum(text: str, line: str, *names: str) -> tuple[int, ...]:
    """The counts of idet's lines of this kind."""
    pattern = line + ":" + "".join(rf"\s*{name}:\s*(\d+)" for name in names)
    found = [tuple(map(int, counts)) for counts in re.findall(pattern, text)]
    return tuple(map(sum, zip(*found, strict=True))) if found else (0,) * len(names)
