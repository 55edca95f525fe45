"""VMAF and bit rate as functions of the CRF, near a probe.

Over the range that matters the logarithm of the loss (100 - VMAF) is close to a line, and so is that of the bit rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from video_pipeline.media.targets import Probe

FULL = 101.0
"""Frames at 100 have no loss, whose logarithm would be none."""
RISE = 0.13
"""Of that logarithm per CRF, of x264 from 20 to 33: 0.11 to 0.14 in natural clips, 0.2 to 0.3 in dark ones."""
FALL = 0.115
"""Of the logarithm of the bit rate: half of it every 6."""
LEAST, MOST = 0.03, 0.4
"""Bounds of a measured rise."""
NEAR = 2
"""CRF between two probes, below which their noise says more than their difference."""


@dataclass(frozen=True)
class Curve:
    """Through one probe."""

    probe: Probe
    rise: float = RISE
    fall: float = FALL

    def crf_for(self, vmaf: float) -> float:
        """Where it has this VMAF."""
        return self.probe.crf + (loss(vmaf) - loss(self.probe.vmaf)) / self.rise

    def at(self, crf: float) -> Probe:
        """What is expected of this CRF."""
        apart = crf - self.probe.crf
        vmaf = FULL - math.exp(loss(self.probe.vmaf) + apart * self.rise)
        rate = self.probe.bit_rate * math.exp(-apart * self.fall)
        return Probe(crf=crf, vmaf=round(min(100.0, max(0.0, vmaf)), 3), bit_rate=max(1, round(rate)))


def through(probe: Probe, first: Probe, second: Probe) -> Curve:
    """The curve through the first one that is as steep as between the other two, which are of the same frames."""
    apart = second.crf - first.crf
    if abs(apart) < NEAR:
        return Curve(probe)
    rise = (loss(second.vmaf) - loss(first.vmaf)) / apart
    fall = (math.log(first.bit_rate) - math.log(second.bit_rate)) / apart
    return Curve(probe, min(MOST, max(LEAST, rise)), min(MOST, max(0.0, fall)))


def loss(vmaf: float) -> float:
    return math.log(FULL - vmaf)
