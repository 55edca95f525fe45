"""The check that rungs look as good as the preset wants, on short parts of the video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from video_pipeline.errors import SourceError
from video_pipeline.media import vmaf
from video_pipeline.media.checks import sampled
from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult
from video_pipeline.media.targets import PlannedQuality
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import Family
from video_pipeline.media.vmaf import Vmaf

NAME = "vmaf_floor"
EVERY = 12
"""Frames of a part of which one is measured: six parts of a trailer are off by 0.4 to 0.6 VMAF (RMS) from measuring all
of them, and by 0.3 to 0.4 with one of 8."""
PART = 30
"""VMAF by which a single part may be below the floor of the average: the hardest of 174 seconds was 8 below it."""
PERFECT = 100


def vmaf_floor(
    tools: Tools, plan: EncodingPlan, readings: Sequence[Reading], original: Path, scratch: Path
) -> CheckResult:
    """Each rung against the frames it was made from. A preset without a floor costs nothing.

    What was expected of a rung may be missed by as much as the largest one may miss the target. Where nothing is
    expected, for there was no search, a smaller one may lose as much against its size without any encoding.
    """
    quality = plan.quality
    if quality is None or quality.floor is None:
        return verdict(NAME, [], "0 rungs have a floor")
    videos = {r.name: r for r in readings if r.is_video and len(r.packets)}
    wrong: list[Problem] = []
    lowest: list[float] = []
    for encoder in plan.encoders:
        found, above = _below(tools, plan, quality, encoder.family, videos, original, scratch)
        if found and plan.seekable:
            # A decoder that began in the middle may have given other pictures.
            one_pass = plan.model_copy(update={"seekable": False})
            found, above = _below(tools, one_pass, quality, encoder.family, videos, original, scratch)
        wrong += found
        lowest += above
    nearest = f"; the nearest is {min(lowest):.1f} above its floor" if lowest else ""
    return verdict(NAME, wrong, f"{len(plan.rungs)} rungs in {len(quality.checked)} parts{nearest}")


def _below(
    tools: Tools,
    plan: EncodingPlan,
    quality: PlannedQuality,
    family: Family,
    videos: Mapping[str, Reading],
    original: Path,
    scratch: Path,
) -> tuple[list[Problem], list[float]]:
    """What is too bad, by rung, and how far the others are above."""
    rungs = [rung for rung in plan.family(family) if rung.name in videos]
    unexpected = {
        f"{rung.name} unencoded": (rung.width, rung.height)
        for rung in rungs
        if _expected(quality, rung.name) is None and (rung.width, rung.height) != quality.size
    }
    # Each part is a GOP, and a fragment of the file; see `sampled` why ffmpeg does not go there by itself.
    keys = [part.first // plan.gop for part in quality.checked]
    with TemporaryDirectory(dir=scratch) as name:
        files = {rung.name: Path(name, f"{rung.name}.mp4") for rung in rungs}
        for rung in rungs:
            files[rung.name].write_bytes(sampled.cut(videos[rung.name], plan, keys))
        lost = [rung for rung in rungs if not files[rung.name].stat().st_size]
        if lost:
            return [(rung.name, "has not all the parts that are to be measured") for rung in lost], []
        try:
            scores = vmaf.measure(
                tools,
                original,
                plan,
                family,
                files,
                quality.checked,
                Path(name),
                size=quality.size,
                unencoded=unexpected,
                every=EVERY,
            )
        except SourceError as error:
            return [(rung.name, str(error)) for rung in rungs[:1]], []
    wrong: list[Problem] = []
    margins: list[float] = []
    for rung in rungs:
        assert quality.floor is not None
        floor = _expected(quality, rung.name)
        if floor is None:
            floor = quality.floor
            if unencoded := scores.get(f"{rung.name} unencoded"):
                floor = max(0.0, _mean(unencoded) - (PERFECT - quality.floor))
        parts = [part.mean for part in scores[rung.name]]
        average = _mean(scores[rung.name])
        worst = min(range(len(parts)), key=lambda n: parts[n])
        time = f"{float(quality.checked[worst].first / plan.rate):.2f} s"
        bad = f"{parts[worst]:.1f} at {time}"
        if average < floor:
            said = f"VMAF {average:.1f} on average, at least {floor:.1f} is wanted; the worst part has {bad}"
            wrong.append((rung.name, said))
        elif parts[worst] < floor - PART:
            wrong.append((rung.name, f"VMAF {bad}, at least {floor - PART:.1f} is wanted in every part"))
        else:
            margins.append(average - floor)
    return wrong, margins


def _expected(quality: PlannedQuality, name: str) -> float | None:
    rung = quality.of(name)
    return rung.floor if rung else None


def _mean(parts: Sequence[Vmaf]) -> float:
    """Over all their frames."""
    return Vmaf(frames=tuple(score for part in parts for score in part.frames)).mean
