from __future__ import annotations

import pytest

from video_pipeline.intake.backoff import postpone_seconds, retry_ms


@pytest.mark.parametrize(
    ("asked", "attempts", "expected"),
    [
        (2000, 3, [2000, 2000, 2000]),
        ({"type": "fixed", "delay": 700}, 2, [700, 700]),
        ({"type": "exponential", "delay": 1000}, 4, [1000, 2000, 4000, 8000]),
        ({"type": "exponential", "delay": 1000, "jitter": 0.5}, 3, [1000, 2000, 4000]),
        ({"type": "exponential"}, 2, [0, 0]),
        # Ours, where none is named, or one that only the producer's own workers know.
        (None, 3, [5000, 10_000, 20_000]),
        (0, 1, [5000]),
        ({"type": "custom", "delay": 1}, 2, [5000, 10_000]),
        ("soon", 1, [5000]),
    ],
)
def test_growth_without_jitter(asked: object, attempts: int, expected: list[int]) -> None:
    assert [retry_ms(asked, attempt, 0.0) for attempt in range(1, attempts + 1)] == expected


def test_jitter_takes_off_up_to_its_share() -> None:
    asked = {"type": "exponential", "delay": 1000, "jitter": 0.5}
    assert retry_ms(asked, 2, 1.0) == 1000
    assert retry_ms({**asked, "jitter": 9}, 2, 1.0) == 0
    assert retry_ms({**asked, "jitter": "x"}, 2, 1.0) == 2000


def test_no_delay_is_beyond_counting() -> None:
    assert retry_ms({"type": "exponential", "delay": 1000}, 10_000, 0.0) == 1000 * 2**30


def test_what_is_missing_is_looked_for_ever_more_rarely() -> None:
    assert [postpone_seconds(before, 0.0) for before in (0, 1, 2, 6, 7, 10_000)] == [5, 10, 20, 300, 300, 300]
    assert postpone_seconds(0, 1.0) == 3.75
