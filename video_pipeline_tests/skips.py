"""Prints how many tests were skipped and why, and fails if one was that something installable would have run."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree

from video_pipeline import settings

# What a machine may lack for good: without root no small file system can be mounted, and not every container has a
# second one.
ALLOWED = ("needs root", "needs a second file system")


def main(reports: Sequence[str]) -> int:
    reasons = Counter(
        (skip.get("message") or "no reason given").strip()
        for report in reports
        for skip in ElementTree.parse(report).iter("skipped")
        if skip.get("type") != "pytest.xfail"
    )
    print(f"{sum(reasons.values())} tests were skipped")
    media_there = settings.load().media.is_dir()
    bad = 0
    for reason, count in reasons.most_common():
        allowed = reason.startswith(ALLOWED) or (reason.startswith("no real clips") and not media_there)
        bad += not allowed
        print(f"  {count} x {reason}{'' if allowed else '   <- install it, or mend the test'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
