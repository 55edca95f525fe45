"""What this very video needs: the CRF of each rung, and which rungs are worth having."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from video_pipeline.media import crf_search, samples, vmaf
from video_pipeline.media.ladder import download_rung
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.probing import Memory, Prober
from video_pipeline.media.pruning import prune
from video_pipeline.media.targets import PlannedQuality
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan
from video_pipeline.presets.model import Preset

CRF_STEP = 0.25
"""As fine as anybody can tell, about 0.2 VMAF, of encoders that take any fraction."""


def search(
    tools: Tools,
    source: Path,
    plan: EncodingPlan,
    preset: Preset,
    scratch: Path,
    memory: Memory,
    *,
    on_progress: Callable[[float], None] | None = None,
) -> EncodingPlan:
    """The plan with what the preset's `quality` asks for: other CRFs, fewer rungs, and what is expected of each.

    The same source and preset give the same plan.

    Args:
        memory: what is in there is not measured again.

    Raises:
        SourceError: the source cannot be decoded.
    """
    wanted = preset.quality
    if wanted is None:
        return plan
    chosen, checked = samples.choose(tools, source, plan)
    width, height = vmaf.largest(plan.rungs)
    quality = PlannedQuality(
        width=width, height=height, samples=chosen, checked=checked, target=wanted.target, floor=wanted.floor
    )
    if wanted.target is None:
        return plan.model_copy(update={"quality": quality})
    rungs: list[RungPlan] = []
    for n, (family, table) in enumerate(preset.families.items()):
        if not plan.family(family):
            continue
        told = vmaf.share(on_progress, n / len(preset.families), (n + 1) / len(preset.families))
        probe = Prober(tools, source, plan, quality, family, scratch, memory, told)
        step = table.CRF_STEP or CRF_STEP
        found = crf_search.find(plan.family(family), wanted, table.WORST_CRF, step, probe)
        kept, left_out = prune(found, wanted.ceiling or wanted.target)
        planned = {rung.name: rung for rung in plan.family(family)}
        rungs += [planned[rung.name].model_copy(update={"crf": rung.crf}) for rung in kept]
        both = {"rungs": (*quality.rungs, *kept), "left_out": (*quality.left_out, *left_out)}
        quality = quality.model_copy(update=both)
    download = download_rung([rung for rung in rungs if rung.family == plan.plain], preset.download)
    return plan.model_copy(update={"rungs": tuple(rungs), "quality": quality, "download": download})
