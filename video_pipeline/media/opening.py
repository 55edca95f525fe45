"""The first pictures of a stream as ffmpeg decodes them: their true format, size, colours and fields.

Headers may say nothing or something else, and ffprobe's build has fewer decoders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from video_pipeline.media import ffmpeg
from video_pipeline.media.limits import Limits
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import Light

SECONDS = 60
"""Of CPU time."""
LIMITS = Limits(cpu_seconds=SECONDS, memory=ffmpeg.MEMORY)
_UNKNOWN = ("unknown", "unspecified", "reserved")


@dataclass(frozen=True)
class Opening:
    """What the first decoded picture is."""

    pix_fmt: str
    width: int
    """Cropped as the file says."""
    height: int
    sample_aspect: Fraction | None
    interlaced: bool
    top_first: bool
    color_range: str | None
    color_space: str | None
    color_primaries: str | None
    color_transfer: str | None
    chroma_location: str | None
    captions: bool
    """It carries closed captions (CTA-608 or -708)."""
    peak_luminance: float | None
    """By its content light level, else by its mastering display, cd/m²."""
    light: Light | None = None
    """Both of these, if there is one."""


def command(tools: Tools, path: Path, stream: int, decoder: str | None = None) -> list[str | Path]:
    """The ffmpeg command whose log `read` takes."""
    argv: list[str | Path] = [tools.ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-noautorotate"]
    argv += [f"-c:{stream}", decoder] if decoder else []
    argv += [*ffmpeg.source(path), "-map", f"0:{stream}", "-vf", "showinfo=checksum=0"]
    return [*argv, "-frames:v", "1", "-f", "null", "-"]


def read(log: str) -> Opening | None:
    """None if no picture came out."""
    lines = [line.partition("] ")[2] for line in log.splitlines() if "showinfo" in line]
    picture = next((line for line in lines if re.match(r"n:\s*\d", line)), None)
    size = re.search(r" s:(\d+)x(\d+)", picture or "")
    pix_fmt = re.search(r" fmt:(\w+)", picture or "")
    if picture is None or size is None or pix_fmt is None:
        return None
    colours = dict(re.findall(r"(color_\w+):(\S+)", next((line for line in lines if "color_range:" in line), "")))
    field = _word(r" i:(\w)", picture)
    sar = re.search(r" sar:(\d+)/(\d+)", picture)
    return Opening(
        pix_fmt=pix_fmt[1],
        width=int(size[1]),
        height=int(size[2]),
        sample_aspect=Fraction(int(sar[1]), int(sar[2])) if sar and int(sar[1]) and int(sar[2]) else None,
        interlaced=field in ("T", "B"),
        top_first=field == "T",
        color_range=_known(colours.get("color_range")),
        color_space=_known(colours.get("color_space")),
        color_primaries=_known(colours.get("color_primaries")),
        color_transfer=_known(colours.get("color_trc")),
        chroma_location=_known(_word(r" cl:(\S+)", picture)),
        captions=any("Closed Captions" in line for line in lines),
        peak_luminance=_peak("\n".join(lines)),
        light=_light("\n".join(lines)),
    )


def _peak(text: str) -> float | None:
    """0 stands for not known (CTA-861-H)."""
    found = (re.search(pattern, text) for pattern in (r"MaxCLL=(\d+)", r"max_luminance=([\d.]+)"))
    return next((float(one[1]) for one in found if one and float(one[1])), None)


def _light(text: str) -> Light | None:
    points = {name: _point(name, text) for name in ("r", "g", "b", "wp")}
    luminance = re.search(r"min_luminance=([\d.]+),? *max_luminance=([\d.]+)", text)
    display = re.search(r"has_primaries:1", text) and all(points.values())
    bright = re.search(r"has_luminance:1", text) and luminance and float(luminance[2]) > float(luminance[1])
    levels = re.search(r"MaxCLL=(\d+), MaxFALL=(\d+)", text)
    found = Light(
        red=points["r"] if display else None,
        green=points["g"] if display else None,
        blue=points["b"] if display else None,
        white=points["wp"] if display else None,
        darkest=Fraction(luminance[1]) if luminance and bright else None,
        brightest=Fraction(luminance[2]) if luminance and bright else None,
        max_cll=int(levels[1]) if levels else None,
        max_fall=int(levels[2]) if levels else None,
    )
    return None if found == Light() else found


def _point(name: str, text: str) -> tuple[Fraction, Fraction] | None:
    found = re.search(rf"\b{name}\(([\d.]+),? *([\d.]+)\)", text)
    return (Fraction(found[1]), Fraction(found[2])) if found else None


def _word(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found[1] if found else None


def _known(word: str | None) -> str | None:
    return None if word in _UNKNOWN else word
