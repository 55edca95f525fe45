"""How each encoder is asked for a rung: ffmpeg's options, on the one grid of key frames that all rungs share.

Everything about an encoder that shapes bits is here, and nothing depends on the host: threads, pools and lookahead are
fixed by the preset.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from video_pipeline.errors import RequestError
from video_pipeline.media import hardware
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.video_plan import Light, RungPlan, VideoEncoder

Options = dict[str, Any]


def options(plan: EncodingPlan, rung: RungPlan, encoder: VideoEncoder) -> Options:
    """Output options of ffmpeg that make one rung.

    Raises:
        RequestError: nothing is known of this encoder.
    """
    ask = _ASKED.get(encoder.codec)
    if ask is None:
        raise RequestError(f"encoder {encoder.codec} of {encoder.family} cannot be used; take {', '.join(_ASKED)}")
    return {
        "c:v": encoder.codec,
        **ask(plan, rung, encoder),
        # Whole ticks per frame, else segment borders of 29.97 drift.
        "video_track_timescale": timescale(plan.rate),
        "fps_mode": "passthrough",
        # Nothing of the source's tags or of this build's name may reach the file: same input, same bytes.
        "map_metadata": -1,
        "map_chapters": -1,
        "fflags": "+bitexact",
    }


def _grid(plan: EncodingPlan) -> Options:
    """The same grid in every rung: no key frame at a cut, none missing, no reference across one."""
    return {"g": plan.gop, "keyint_min": plan.gop, "sc_threshold": 0, "flags:v": "+cgop+bitexact"}


def _capped(rung: RungPlan) -> Options:
    return {"crf": f"{rung.crf:g}", "maxrate": rung.maxrate, "bufsize": rung.bufsize}


def _speed(encoder: VideoEncoder) -> Options:
    return {"preset": encoder.preset, "profile:v": encoder.profile, "threads": encoder.threads}


def _x264(plan: EncodingPlan, rung: RungPlan, encoder: VideoEncoder) -> Options:
    return {**_speed(encoder), **_capped(rung), **_grid(plan), **encoder.options}


def _x265(plan: EncodingPlan, rung: RungPlan, encoder: VideoEncoder) -> Options:
    params = {
        **encoder.params,
        "keyint": plan.gop,
        "min-keyint": plan.gop,
        "scenecut": 0,
        "open-gop": 0,
        "pools": encoder.threads,
        "frame-threads": min(encoder.threads, FRAME_THREADS),
        # With a ceiling it else decides by how far other threads are: ten encodes gave ten files, with it one.
        "const-vbv": 1,
        # Its settings in every stream, and a line about each on our log.
        "info": 0,
        "log-level": "error",
        **_hdr10(encoder),
    }
    asked = {**_speed(encoder), **_capped(rung), **_grid(plan), **encoder.options}
    # Players of Apple's take no other tag.
    return {**asked, "x265-params": _joined(params), "tag:v": "hvc1"}


FRAME_THREADS = 2
"""Frames that x265 encodes at once; that shapes the bits, the number of other threads does not."""


def _hdr10(encoder: VideoEncoder) -> Options:
    """Of x265: primaries in 0.00002, luminance in 0.0001 cd/m²."""
    light = encoder.light
    if light is None:
        return {}
    display = _display(light, lambda value: str(round(value * 50_000)), lambda value: str(round(value * 10_000)))
    found: Options = {"master-display": display} if display else {}
    if light.max_cll is not None:
        found["max-cll"] = f"{light.max_cll},{light.max_fall or 0}"
    return {**found, "hdr10": 1} if found else {}


def _vp9(plan: EncodingPlan, rung: RungPlan, encoder: VideoEncoder) -> Options:
    return {
        "cpu-used": encoder.preset,
        "profile:v": encoder.profile,
        "threads": encoder.threads,
        "row-mt": 0,
        # Constrained quality: libvpx takes the ceiling as the average it must not exceed.
        "crf": f"{rung.crf:g}",
        "b:v": rung.maxrate,
        "bufsize": rung.bufsize,
        # Without the smallest distance it moves key frames.
        **_grid(plan),
        **encoder.options,
    }


def _svt_av1(plan: EncodingPlan, rung: RungPlan, encoder: VideoEncoder) -> Options:
    params = {
        **encoder.params,
        "crf": f"{rung.crf:g}",
        # Key frames that nothing refers across, none at cuts, and none replaced by an overlay.
        "irefresh-type": 2,
        "scd": 0,
        "enable-overlays": 0,
        "lp": encoder.threads,
    }
    light = encoder.light
    if light:
        if display := _display(light, lambda value: f"{float(value):g}", lambda value: f"{float(value):g}"):
            params["mastering-display"] = display
        if light.max_cll is not None:
            params["content-light"] = f"{light.max_cll},{light.max_fall or 0}"
    asked = {"preset": encoder.preset, "maxrate": rung.maxrate, "bufsize": rung.bufsize, **_grid(plan)}
    return {**asked, **encoder.options, "svtav1-params": _joined(params)}


_ASKED = {
    "libx264": _x264,
    "libx265": _x265,
    "libvpx-vp9": _vp9,
    "libsvtav1": _svt_av1,
    **dict.fromkeys(hardware.NVENC, hardware.nvenc),
    **dict.fromkeys(hardware.VAAPI, hardware.vaapi),
}


def _display(light: Light, place: Any, luminance: Any) -> str:
    """A mastering display as both encoders spell it; empty if parts of it are not known."""
    points = {"G": light.green, "B": light.blue, "R": light.red, "WP": light.white}
    if light.darkest is None or light.brightest is None:
        return ""
    text = ""
    for name, point in points.items():
        if point is None:
            return ""
        text += f"{name}({place(point[0])},{place(point[1])})"
    return f"{text}L({luminance(light.brightest)},{luminance(light.darkest)})"


def _joined(params: Mapping[str, object]) -> str:
    return ":".join(f"{name}={value}" for name, value in params.items())


def timescale(rate: Fraction) -> int:
    """Ticks per second of which a frame takes a whole number; at least 10000 so that players' clocks are content."""
    return rate.numerator * math.ceil(Fraction(10_000, rate.numerator))
