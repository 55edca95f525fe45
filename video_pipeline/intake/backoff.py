"""How long a failed attempt waits for the next one. BullMQ's Python package knows neither jitter nor custom types,
which Node producers may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFAULT: Mapping[str, Any] = {"type": "exponential", "delay": 5000, "jitter": 0.5}
"""Of a job that names none: a cause that is gone in a moment is rarely gone at once."""
POSTPONE_FIRST, POSTPONE_MOST = 5.0, 300.0
"""s; what is missing around us is looked for again at these intervals."""


def retry_ms(asked: object, attempt: int, random: float) -> int:
    """Milliseconds until the next attempt after `attempt` (from 1) has failed, as BullMQ for Node computes them.

    Args:
        asked: the job's `backoff` option: a number (fixed), or an object with type, delay and jitter; a type that is
            not built in is taken for the default.
        random: 0 to 1; takes up to the share `jitter` off the delay.
    """
    if isinstance(asked, int | float) and asked > 0:
        asked = {"type": "fixed", "delay": asked}
    if not isinstance(asked, Mapping) or asked.get("type") not in ("fixed", "exponential"):
        asked = DEFAULT
    delay, jitter = _number(asked.get("delay")), min(1.0, _number(asked.get("jitter")))
    # 2^30 of anything is beyond every patience; a larger power would not be a number.
    longest = delay * 2 ** min(attempt - 1, 30) if asked["type"] == "exponential" else delay
    return round(longest * (1 - jitter * random))


def postpone_seconds(before: int, random: float) -> float:
    """Seconds until a job is tried again after `before` postponements; up to a quarter is taken off."""
    return float(min(POSTPONE_MOST, POSTPONE_FIRST * 2 ** min(before, 10)) * (1 - 0.25 * random))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
