"""From everything that is wrong to one result."""

from __future__ import annotations

from collections.abc import Iterable

from video_pipeline.media.products import CheckResult

Problem = tuple[str, str]
"""What it is about (a track or a file) and what was measured there."""
_SAID = 5


def verdict(name: str, wrong: Iterable[Problem], fine: str, *, warning: bool = False) -> CheckResult:
    """Passed with `fine` as the measure, or failed with the first problems; with `warning` that is no obstacle."""
    problems = list(wrong)
    if not problems:
        return CheckResult(name=name, passed=True, measured=fine)
    said = "; ".join(f"{subject}: {measured}" for subject, measured in problems[:_SAID])
    more = f"; and {len(problems) - _SAID} more" if len(problems) > _SAID else ""
    return CheckResult(name=name, passed=False, warning=warning, subject=problems[0][0], measured=said + more)
