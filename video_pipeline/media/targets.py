"""What a plan aims at in quality, and what the search for it found.

VMAF runs from 0 to 100 and is always that at the size of the plan's largest rung; bit rates are bit/s.
"""

from __future__ import annotations

from video_pipeline.base import Model


class Sample(Model):
    """A run of frames of the plan's grid."""

    first: int
    frames: int

    @property
    def end(self) -> int:
        return self.first + self.frames


class Probe(Model):
    """What one setting of one rung gave over all samples."""

    crf: float
    vmaf: float
    bit_rate: int


class RungQuality(Model):
    """What is expected of a rung."""

    name: str
    crf: float
    vmaf: float
    bit_rate: int
    floor: float | None = None
    """Mean VMAF below which it is not published."""
    probes: tuple[Probe, ...] = ()


class LeftOutRung(Model):
    name: str
    why: str


class PlannedQuality(Model):
    width: int
    """At which all rungs are compared: the largest rung's of the preset's ladder."""
    height: int
    samples: tuple[Sample, ...]
    """What stands for the whole video in the search."""
    checked: tuple[Sample, ...]
    """And before it is published: other parts, where there are some."""
    target: float | None = None
    """Of the largest rung."""
    floor: float | None = None
    """Below which the largest rung is not published; None if nothing is measured before."""
    rungs: tuple[RungQuality, ...] = ()
    left_out: tuple[LeftOutRung, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    def of(self, name: str) -> RungQuality | None:
        return next((rung for rung in self.rungs if rung.name == name), None)
