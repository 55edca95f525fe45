"""Encoding in tests: without a store, and one encoder after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from video_pipeline.media import probe, renditions
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.renditions import Made
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan


def encode(tools: Tools, clip: Path, plan: EncodingPlan, rungs: Sequence[RungPlan], out_dir: Path) -> Made:
    """The rungs in `<out_dir>/<rung name>.mp4`."""
    return renditions.make(tools, clip, probe.probe(tools, clip).timing, plan, rungs, out_dir)
