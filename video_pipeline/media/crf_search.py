"""The CRF of each rung of a family, from a few probes.

The largest rung gets the CRF at which it reaches the target: one probe over a third of the samples to aim, one over all
of them there, and a third one if that was far off. The others get the same CRF and are probed once, to know what they
are worth. Scaled up they cannot reach the target, and one of their own leads astray: to lose no more than the largest
one does, 240p of a trailer would need 380 kbit/s at CRF 17.6 for VMAF 71.5, which 360p has at CRF 29 for 208 kbit/s. At
one CRF a bit buys about the same everywhere: there, neighbouring sizes have the same VMAF at the same bit rate to
within 1 to 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from video_pipeline.media.curve import Curve, through
from video_pipeline.media.targets import Probe, RungQuality
from video_pipeline.media.video_plan import RungPlan
from video_pipeline.presets.quality import Quality

AIM = 3
"""CRF that the first probe is above the table's, which suits hard videos, too."""
FAR = 2
"""CRF between a probe over all samples and the target, up to which the curve is believed: a fifth more or less of its
rise is a third of a VMAF there."""
WASTE = 0.5
"""VMAF that a rung may lose where the ceiling of its bit rate keeps it from the target anyway."""


class Probed(Protocol):
    """What a probe over all samples gave, and over the third of them."""

    @property
    def all(self) -> Probe: ...

    @property
    def some(self) -> Probe: ...


class Prober(Protocol):
    def __call__(
        self, wanted: Sequence[tuple[RungPlan, float]], done: float, *, some: bool = False
    ) -> Sequence[Probed]:
        """Probes them over all samples, or over a third.

        Args:
            done: share of the whole search that is done then.
        """
        ...


def find(rungs: Sequence[RungPlan], wanted: Quality, worst: float, step: float, probe: Prober) -> list[RungQuality]:
    """What to expect of each rung of one family.

    Args:
        rungs: largest first.
        worst: largest CRF the encoder has.
        step: CRFs are multiples of it.
    """
    assert wanted.target is not None
    top, *others = rungs
    # Below 1 some encoders are lossless, and to others 0 means that they may choose.
    low, high = min(top.crf, max(1.0, top.crf - wanted.range)), min(worst, top.crf + wanted.range)

    def rounded(crf: float) -> float:
        """Down, for nothing shall be below the target."""
        return min(high, max(low, crf)) // step * step

    (first,) = probe([(top, rounded(top.crf + AIM))], 0.15, some=True)
    (second,) = probe([(top, rounded(Curve(first.some).crf_for(wanted.target)))], 0.5)
    curve = through(second.all, first.some, second.some)
    crf = rounded(_best(curve, wanted.target, low))
    probes = [first.some, second.all]
    if abs(crf - second.all.crf) > FAR:
        (third,) = probe([(top, crf)], 0.7)
        curve = through(third.all, second.all, third.all)
        crf = rounded(_best(curve, wanted.target, low))
        probes.append(third.all)
    found = [_expected(top, curve.at(crf), wanted, probes)]
    if others:
        for rung, one in zip(others, probe([(rung, crf) for rung in others], 1.0), strict=True):
            found.append(_expected(rung, one.all, wanted, [one.all]))
    return found


def _best(curve: Curve, target: float, low: float) -> float:
    if curve.probe.vmaf < target and curve.probe.crf <= low + 1:
        # The ceiling of bits is in the way: a lower CRF only moves them to where they are not seen.
        return curve.crf_for(curve.probe.vmaf - WASTE)
    return curve.crf_for(target)


def _expected(rung: RungPlan, there: Probe, wanted: Quality, probes: Sequence[Probe]) -> RungQuality:
    floor = None
    if wanted.floor is not None and wanted.target is not None:
        floor = round(max(0.0, there.vmaf - (wanted.target - wanted.floor)), 3)
    return RungQuality(
        name=rung.name, crf=there.crf, vmaf=there.vmaf, bit_rate=there.bit_rate, floor=floor, probes=tuple(probes)
    )
