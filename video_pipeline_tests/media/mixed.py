"""Presets of all four families, small and fast, and sources in HDR."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from video_pipeline import presets
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.tools import Tools
from video_pipeline.presets.model import Preset
from video_pipeline_tests.media.release import run_ffmpeg

FAMILIES = ("h264", "hevc", "vp9", "av1")
TRANSFERS = {"PQ": "smpte2084", "HLG": "arib-std-b67"}
MASTERED = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
"""Of a P3 display of 1000 cd/m², as x265 spells it."""
_FAST: dict[str, dict[str, Any]] = {
    "hevc": {"preset": "ultrafast", "threads": 2},
    "vp9": {"cpu_used": 8, "deadline": "realtime", "threads": 2},
    "av1": {"preset": 12},
}


def preset(bit_depth: int = 8, crf: int = 28, **keys: object) -> Preset:
    """H.264 as in `draft`, the others with two rungs of this depth and quality."""
    rungs = [{"height": height, "crf": crf, "maxrate": 5 * height * (29 - crf)} for height in (360, 240)]
    table = presets.load("draft").model_dump()
    table |= {name: {**fast, "bit_depth": bit_depth, "rungs": rungs} for name, fast in _FAST.items()}
    return Preset.model_validate({**table, **keys})


def hdr_clip(tools: Tools, path: Path, video_range: str, seconds: float = 4, size: str = "640x360") -> Path:
    """Moving bars without loss, told to be mastered as `MASTERED` says."""
    transfer = TRANSFERS[video_range]
    tags = f"color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=limited"
    picture = f"testsrc2=size={size}:rate=25:duration={seconds},format=yuv420p10le,setparams={tags}"
    codec = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", f"log-level=error:lossless=1:{MASTERED}"]
    run_ffmpeg(tools, "-f", "lavfi", "-i", picture, *codec, "-tag:v", "hvc1", path)
    return path


def largest(plan: EncodingPlan) -> dict[str, str]:
    """Family to the name of its largest rung."""
    return {encoder.family: plan.family(encoder.family)[0].name for encoder in plan.encoders}
