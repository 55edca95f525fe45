"""The check that both manifests keep the rules of those who write players.

Not kept on purpose, as none of them is a must: Apple 6.2 (a dense track of key frames of its own), 7.5 (segments of 6 s
instead of our 4 s), 9.10 (two variants at the highest resolution) and 5.3 (X-TIMESTAMP-MAP: our WebVTT begins at 0,
which is what a player takes without, RFC 8216, 3.5, and the same file serves DASH). What a source or a preset decides
(1.12, 1.19, 1.30, 9.9) is told and blocks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import m3u8
from lxml import etree

from video_pipeline.media.checks.authoring_dash import dash_problems
from video_pipeline.media.checks.authoring_hls import hls_problems
from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.manifests import MASTER
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult, Streams

MOST_FRAMES = 60
"""Frames per second (Apple 1.19)."""
PEAK = Fraction(2)
"""Of the average (Apple 1.30)."""


def authoring(plan: EncodingPlan, streams: Streams, readings: Sequence[Reading]) -> CheckResult:
    """Apple's authoring specification and DASH-IF's interoperability points, as far as they are about what we write."""
    wrong: list[Problem] = []
    advice: list[str] = []
    try:
        wrong += hls_problems(plan, streams)
        if not plan.whole:
            wrong += dash_problems(streams, readings)
        advice += _advice(plan, m3u8.loads(streams.texts[MASTER]))
    except (ValueError, TypeError, LookupError, AttributeError, OSError, etree.LxmlError, SyntaxError):
        advice = []  # `references` says which text cannot be read
    beside = f"; besides, {'; '.join(advice)}" if advice else ""
    fine = f"{len(streams.texts)} manifests keep the rules of Apple and DASH-IF{beside}"
    return verdict("authoring", wrong, fine)


def _advice(plan: EncodingPlan, master: m3u8.M3U8) -> list[str]:
    said = []
    if not plan.family("h264"):
        said.append("there is no H.264 variant (Apple 1.12)")
    if plan.rate > MOST_FRAMES:
        said.append(f"{float(plan.rate):.2f} frames per second are more than {MOST_FRAMES} (Apple 1.19)")
    if len(plan.rungs) < 2:
        said.append("there is only one variant (Apple 9.9)")
    infos = [variant.stream_info for variant in master.playlists]
    ratio = max((Fraction(info.bandwidth, info.average_bandwidth or info.bandwidth) for info in infos), default=PEAK)
    if ratio > PEAK:
        said.append(f"a peak is {float(ratio):.1f} times its average (Apple 1.30)")
    return said
