"""`dagster-daemon run` with a quicker sensor loop.

Dagster sleeps five seconds after any tick. The intake sensor waits for jobs inside its tick, so all that sleep is
latency. The constant is private: if it is gone, everything works, only slower.
"""

from __future__ import annotations

import sys

from dagster._daemon import sensor
from dagster._daemon.cli import main as daemon_main

LOOP_SECONDS = 0.2


def main() -> None:
    """Runs the daemon with the arguments of `dagster-daemon`."""
    if hasattr(sensor, "MIN_INTERVAL_LOOP_TIME"):
        setattr(sensor, "MIN_INTERVAL_LOOP_TIME", LOOP_SECONDS)  # noqa: B010  no such name in its types
    sys.argv[0] = "dagster-daemon"
    daemon_main()


if __name__ == "__main__":
    main()
