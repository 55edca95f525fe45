"""How each encoder is asked for a rung: ffmpeg's options, on the one grid of key frames that all rungs share."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from video_pipeline.media.model import EncodingPlan, RungPlan, VideoEncoder


def options(plan: EncodingPlan, rung: RungPlan, encoder: VideoEncoder) -> dict[str, Any]:
    """Output options of ffmpeg that make one rung; everything about an encoder that shapes bits is here."""
    return {
        "c:v": encoder.codec,
        "preset": encoder.preset,
        "profile:v": encoder.profile,
        # With more than one, x264 decides under a ceiling by how far other threads are: of 6 encodes of a clip that
        # reached it no two were the same. Chunks side by side use the cores instead.
        "threads": 1,
        "crf": f"{rung.crf:g}",
        "maxrate": rung.maxrate,
        "bufsize": rung.bufsize,
        # The same grid in every rung: no key frame at a cut, none missing, no reference across one.
        "g": plan.gop,
        "keyint_min": plan.gop,
        "sc_threshold": 0,
        "flags:v": "+cgop+bitexact",
        **encoder.options,
        # Whole ticks per frame, else segment borders of 29.97 drift.
        "video_track_timescale": timescale(plan.rate),
        "fps_mode": "passthrough",
        # Nothing of the source's tags or of this build's name may reach the file: same input, same bytes.
        "map_metadata": -1,
        "map_chapters": -1,
        "fflags": "+bitexact",
    }


def timescale(rate: Fraction) -> int:
    """Ticks per second of which a frame takes a whole number; at least 10000 so that players' clocks are content."""
    return rate.numerator * math.ceil(Fraction(10_000, rate.numerator))
