"""The asset checks of a video: each is one check of `media.quality`, and blocks the release."""

import dagster as dg

from video_pipeline.media.products import CheckResult
from video_pipeline.media.quality import CHECKS

QUALITY_CHECKS = [
    dg.AssetCheckSpec(name=name, asset="quality_report", description=description, blocking=True)
    for name, description in CHECKS.items()
]


def result_of(check: CheckResult) -> dg.AssetCheckResult:
    """A check's verdict as Dagster shows it."""
    return dg.AssetCheckResult(
        check_name=check.name,
        passed=check.passed,
        description=check.measured,
        metadata={"measured": check.measured, **({"subject": check.subject} if check.subject else {})},
    )
