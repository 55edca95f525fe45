"""Are the published pictures the source's, at the same times, upright and in its colours?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from video_pipeline_tests.corpus.decode import Frames, Pictures
from video_pipeline_tests.corpus.findings import Findings
from video_pipeline_tests.corpus.source import Source

REACH = 3
"""Frames to both sides among which a picture is looked for."""
SAMPLES = 200
"""Pictures compared at each end and between."""
MEAN, WORST = 5.0, 16.0
"""Most mean difference of RGB values, 0 to 255, over all pictures and of one; what codec and scaling do is below."""
FINE = 12.0
"""Most mean difference of pictures that are much more like these than like those three frames away."""
COLOUR = 4.0
"""Most difference of a mean channel."""
HDR_TIMES = 6.0
"""Two ways of tone mapping may differ so many times as much."""
SMALL, TINY_TIMES = 64, 6.0
"""Coding and scaling change a picture below so many pixels up to so many times as much; broken ones differ, too."""
STILL = 1.5
"""Below this a difference says nothing about time."""
TURNS = ("upright", "90", "180", "270", "mirrored", "mirrored 90", "mirrored 180", "mirrored 270")


def compare(source: Source, shown: Pictures, rate: float, findings: Findings) -> None:
    """Adds what the pictures of one rendition are like beside the source's.

    Args:
        rate: frames per second of the rendition.
    """
    number = len(shown.times)
    chosen = np.unique(
        np.concatenate(
            [
                np.arange(min(SAMPLES, number)),
                np.linspace(0, number - 1, min(SAMPLES, number)).astype(int),
                np.arange(max(0, number - SAMPLES), number),
            ]
        )
    )
    allowed = HDR_TIMES if source.hdr else max(1.0, min(SMALL / min(source.pictures.shape[:2]), TINY_TIMES))
    if source.pictures.errors:
        allowed = max(allowed, TINY_TIMES)  # every decoder guesses broken parts in its own way
    here, around = _differences(source.pictures, shown.frames, chosen, rate)
    mean, worst = float(here.mean()), float(here.max())
    if mean <= FINE and mean < float(around[:, [0, -1]].mean()) / 1.5:
        allowed = max(allowed, FINE / MEAN)  # much detail in few bits, but of no other moment
    at = int(chosen[int(here.argmax())])
    findings.expect(mean <= MEAN * allowed, f"pictures ±{mean:.1f}", f"pictures differ by {mean:.1f} in the mean")
    if mean <= MEAN * allowed:
        findings.expect(
            worst <= WORST * allowed, f"worst {worst:.0f}", f"picture {at} at {at / rate:.2f} s differs by {worst:.0f}"
        )
    few = max(5, min(round(rate), len(chosen) // 3))
    for name, part in (("start", slice(None, few)), ("end", slice(-few, None))):
        moved = _moved(here[part], around[part])
        findings.expect(moved == 0, "", f"{moved:+d} frames at the {name}")
    _colour(source, shown, chosen, rate, HDR_TIMES if source.hdr else min(allowed, 2.0), findings)
    _turn(source, shown, rate, findings)


def at_times(pictures: Pictures, times: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The index of the picture that is shown at each of these times, s."""
    found = np.searchsorted(pictures.times, times + 1e-3, side="right") - 1
    return np.clip(found, 0, len(pictures.times) - 1)


def _differences(
    source: Pictures, frames: Frames, chosen: npt.NDArray[np.int64], rate: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Of each chosen picture: to the nearest of those the source shows within half a frame, and to the 2·REACH+1
    around that time."""
    times = chosen / rate
    early, late = at_times(source, times - 0.5 / rate), at_times(source, times + 0.5 / rate)
    middle = at_times(source, times)
    here = np.empty(len(chosen))
    around = np.empty((len(chosen), 2 * REACH + 1))
    for row, number in enumerate(chosen):
        picture = frames[number].astype(np.int16)

        def to(index: int, picture: npt.NDArray[np.int16] = picture) -> float:
            other = source.frames[min(max(index, 0), len(source.frames) - 1)]
            return float(np.abs(picture - other).mean())

        here[row] = min(to(index) for index in range(max(early[row], late[row] - 8), late[row] + 1))
        around[row] = [to(int(middle[row]) + step) for step in range(-REACH, REACH + 1)]
    return here, around


def _moved(here: npt.NDArray[np.float64], around: npt.NDArray[np.float64]) -> int:
    """By how many of the source's frames another moment fits clearly better, over all of these pictures."""
    sums = around.mean(axis=0)
    best = int(sums.argmin())
    return best - REACH if here.mean() > STILL and sums[best] < 0.6 * here.mean() else 0


def _colour(
    source: Source,
    shown: Pictures,
    chosen: npt.NDArray[np.int64],
    rate: float,
    allowed: float,
    findings: Findings,
) -> None:
    theirs = source.pictures.frames[at_times(source.pictures, chosen / rate)].mean(axis=(0, 1, 2))
    ours = shown.frames[chosen].mean(axis=(0, 1, 2))
    off = ours - theirs
    text = f"RGB {off[0]:+.0f} {off[1]:+.0f} {off[2]:+.0f}"
    findings.expect(float(np.abs(off).max()) <= COLOUR * allowed, text, f"mean colour off: {text}")


def _turn(source: Source, shown: Pictures, rate: float, findings: Findings) -> None:
    """In which of the eight ways to turn it does a published picture fit the source's best?"""
    number = int(np.argmax(shown.frames.astype(np.float32).std(axis=(1, 2, 3))))
    theirs = source.pictures.frames[int(at_times(source.pictures, np.array([number / rate]))[0])].astype(np.int16)
    ours = shown.frames[number].astype(np.int16)
    ways = [np.rot90(way, turns) for way in (ours, ours[:, ::-1]) for turns in range(4)]
    differences = [float(np.abs(way - theirs).mean()) for way in ways]
    best = int(np.argmin(differences))
    upright = best == 0 or differences[best] > 0.8 * differences[0]
    findings.expect(upright, "", f"turned or mirrored: {TURNS[best]} fits better")
