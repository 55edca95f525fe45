"""What `make bench-quality` prints: a table for each clip, and what comes of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate

from video_pipeline.media.model import EncodingPlan
from video_pipeline_tests.bench.cost import Cost
from video_pipeline_tests.bench.ladders import OURS
from video_pipeline_tests.bench.vmaf import Score

NEAR, NEAR_SHARE = 1.5, 0.9
"""VMAF between prediction and measurement that counts as right, and of how many rungs it should be."""
SEARCH_SHARES = ((300.0, 0.15), (60.0, 0.5))
"""Seconds of a video from which on the search may take this share of the encode's CPU time."""
SLACK = 0.5
"""VMAF by which a rung may lie under its target: what nobody sees and a prediction cannot tell."""


@dataclass(frozen=True)
class Made:
    """One rung of one ladder."""

    bits: int
    score: Score
    target: float | None
    """Mean VMAF."""
    predicted: float | None

    @property
    def short(self) -> bool:
        """Under its target."""
        return self.target is not None and self.score.mean < self.target - SLACK


@dataclass(frozen=True)
class Measured:
    """One clip."""

    clip: str
    plan: EncodingPlan
    rungs: dict[str, dict[str, Made]]
    """By ladder and rung."""
    encode: dict[str, Cost]
    """By ladder."""
    search: Cost

    @property
    def seconds(self) -> float:
        return float(self.plan.duration)


def show(one: Measured) -> None:
    rows = []
    for rung in one.plan.family("h264"):
        row = [rung.name]
        for made in (ladder.get(rung.name) for ladder in one.rungs.values()):
            kbits = made.bits / one.seconds / 1000 if made else 0
            row += [f"{kbits:.0f}", f"{made.score}{' *' if made.short else ''}"] if made else ["-", "left out"]
        ours = one.rungs.get(OURS, {}).get(rung.name)
        row += ["" if value is None else f"{value:.1f}" for value in (ours and ours.target, ours and ours.predicted)]
        rows.append(row)
    headers = ["rung", *(text for name in one.rungs for text in (f"{name}: kbit/s", "VMAF mean, harmonic, 1 %"))]
    print(f"{one.clip}, {one.seconds:.1f} s")
    print(tabulate(rows, headers=[*headers, "target", "predicted"], tablefmt="github", disable_numparse=True))
    print(flush=True)


def searches(costs: Sequence[tuple[str, float, Cost, Cost]]) -> None:
    """Of each clip: its name and length, the search and the encode."""
    rows = []
    for name, seconds, search, encode in costs:
        share = search.cpu / encode.cpu
        most = next((share for least, share in SEARCH_SHARES if seconds >= least), None)
        met = "" if most is None else "yes" if share <= most else "NO"
        aim = "none for so short a clip" if most is None else f"<= {most:.0%}"
        rows.append([name, f"{seconds:.0f}", f"{search.cpu:.1f}", f"{encode.cpu:.1f}", f"{share:.0%}", aim, met])
    headers = ("clip", "seconds", "search: CPU s", "encode: CPU s", "share", "target", "met")
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True) + "\n")


def summary(found: Sequence[Measured]) -> None:
    names = list(found[0].rungs)
    rows = []
    for name in names:
        made = [rung for one in found for rung in one.rungs[name].values()]
        short = [rung.target - rung.score.mean for rung in made if rung.short and rung.target]
        bits = sum(rung.bits for rung in made)
        ratios = [f"{ratio:.2f}" for ratio in _over(found, name)] if OURS in names and name != OURS else ["", ""]
        rows.append([name, len(made), f"{bits / 1e6:.1f}", *ratios, len(short), f"{max(short, default=0):.1f}"])
    headers = ("ladder", "rungs", "Mbit", "per title over it", "of rungs in both", "rungs under target (*)", "worst by")
    print(f"{len(found)} clips, {sum(one.seconds for one in found):.0f} s")
    print(tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True))
    if OURS in names:
        _predictions(found)
        searches([(one.clip, one.seconds, one.search, one.encode[OURS]) for one in found])
        for line in losses(found):
            print(line)


def _over(found: Sequence[Measured], name: str) -> tuple[float, float]:
    """Our bits over its: of all rungs, and of those that both have."""
    ours, its = (sum(rung.bits for one in found for rung in one.rungs[which].values()) for which in (OURS, name))
    pairs = [(rung, one.rungs[name].get(key)) for one in found for key, rung in one.rungs[OURS].items()]
    both = [(own.bits, other.bits) for own, other in pairs if other]
    return ours / its, sum(own for own, _ in both) / sum(other for _, other in both)


def _predictions(found: Sequence[Measured]) -> None:
    made = [rung for one in found for rung in one.rungs[OURS].values()]
    off = [abs(rung.score.mean - rung.predicted) for rung in made if rung.predicted is not None]
    if off:
        near = sum(one <= NEAR for one in off)
        print(
            f"predicted within {NEAR} of what was measured: {near} of {len(off)} rungs, {near / len(off):.0%} ", end=""
        )
        print(f"(target >= {NEAR_SHARE:.0%}); worst {max(off):.1f}")


def losses(found: Sequence[Measured]) -> list[str]:
    """Where another ladder is the better one: it reaches the target with fewer bits, or ours does not reach it."""
    lines = []
    for one in found:
        for key, ours in one.rungs[OURS].items():
            if ours.short and ours.target:
                lines.append(f"lost: {one.clip} {key}: {ours.target - ours.score.mean:.1f} under its target")
            for name, ladder in one.rungs.items():
                its = ladder.get(key)
                if name != OURS and its and not its.short and its.bits < ours.bits and not ours.short:
                    more, better = ours.bits / its.bits - 1, ours.score.mean - its.score.mean
                    lines.append(f"lost: {one.clip} {key}: {more:.0%} more bits than {name} (VMAF {better:+.1f})")
    return lines or ["nowhere a rung under its target, and none that another ladder makes with fewer bits"]
