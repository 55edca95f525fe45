"""The renditions of all codec families as the inputs of an asset."""

import dagster as dg

from video_pipeline.assets.values import Renditions
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.video_plan import FAMILIES

FAMILY_INS: dict[str, dg.AssetIn] = {family: dg.AssetIn(["renditions", family]) for family in FAMILIES}


def plain(plan: EncodingPlan, *families: Renditions) -> Renditions:
    """The family of which pictures, analysis and download are made."""
    return next(made for made in families if made.family == plan.plain)
