"""The asset checks of a video: each is one check of `media.quality`, and blocks the release."""

import warnings

import dagster as dg

from video_pipeline.media.products import CheckResult
from video_pipeline.media.quality import CHECKS
from video_pipeline.partitions import videos

with warnings.catch_warnings():
    # Dagster calls partitions of checks a preview. Without them its UI shows one verdict over all videos: the last.
    warnings.simplefilter("ignore", dg.PreviewWarning)
    QUALITY_CHECKS = [
        dg.AssetCheckSpec(
            name=name, asset="quality_report", description=description, blocking=True, partitions_def=videos
        )
        for name, description in CHECKS.items()
    ]


def result_of(check: CheckResult) -> dg.AssetCheckResult:
    """A check's verdict as Dagster shows it."""
    return dg.AssetCheckResult(
        check_name=check.name,
        passed=check.passed,
        severity=dg.AssetCheckSeverity.WARN if check.warning else dg.AssetCheckSeverity.ERROR,
        description=check.measured,
        metadata={"measured": check.measured, **({"subject": check.subject} if check.subject else {})},
    )
