"""`dagster-daemon run` with quicker loops.

Dagster sleeps five seconds after any tick of a sensor. The intake sensor waits for jobs inside its tick, so all that
sleep is latency. And it looks at backfills every thirty seconds only: to start their runs, and to see that they have
ended. Both constants are private: where one is gone, everything works, only slower.
"""

from __future__ import annotations

import sys

from dagster._daemon import controller, sensor
from dagster._daemon.cli import main as daemon_main

SENSOR_LOOP_SECONDS = 0.2
BACKFILL_LOOP_SECONDS = 5


def main() -> None:
    """Runs the daemon with the arguments of `dagster-daemon`."""
    for module, name, seconds in (
        (sensor, "MIN_INTERVAL_LOOP_TIME", SENSOR_LOOP_SECONDS),
        (controller, "DEFAULT_DAEMON_INTERVAL_SECONDS", BACKFILL_LOOP_SECONDS),
    ):
        if hasattr(module, name):
            setattr(module, name, seconds)
    sys.argv[0] = "dagster-daemon"
    daemon_main()


if __name__ == "__main__":
    main()
