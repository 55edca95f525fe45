"""Bit rates of a track, from its packets."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from video_pipeline.media.model import EncodingPlan


def average_and_peak(packets: bytes, plan: EncodingPlan, duration: Fraction | None = None) -> tuple[int, int]:
    """Average and peak in bit/s.

    The peak is that of the busiest segment, as RFC 8216, 4.3.4.2, has it for BANDWIDTH; a last segment shorter than
    half the others does not count, a few frames behind a key frame say nothing about the link they need.

    Args:
        packets: lines of "pts_time,size" as ffprobe prints them.
        duration: of the track, s; without one, of the pictures.
    """
    duration = duration or plan.duration
    length = plan.segment / plan.rate
    sizes: dict[int, int] = defaultdict(int)
    for line in packets.decode().split():
        time, size = line.split(",")[:2]
        # Half a frame forward: a time printed with 6 decimals may lie just before its segment.
        sizes[int((Fraction(time) + 1 / (2 * plan.rate)) / length)] += int(size)
    total = sum(sizes.values())
    last = max(sizes)
    lengths = dict.fromkeys(sizes, length)
    lengths[last] = max(duration - last * length, 1 / plan.rate)
    peaks = [8 * size / lengths[index] for index, size in sizes.items() if lengths[index] >= length / 2 or last == 0]
    return round(8 * total / duration), round(max(peaks))
