from __future__ import annotations

from fractions import Fraction

import pytest

from video_pipeline.errors import RequestError
from video_pipeline.media.moments import kept, shown
from video_pipeline.media.options import Moment, Trim

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("rate", "frames", "start", "end", "expected"),
    [
        (Fraction(25), 250, 0, None, (0, 250)),
        (Fraction(25), 250, 1, 2, (25, 25)),
        (Fraction(25), 250, 0.04, 0.08, (1, 1)),
        (Fraction(25), 250, 0.041, None, (2, 248)),
        (Fraction(25), 250, 9.96, 10, (249, 1)),
        (Fraction(25), 250, 0, 10.9, (0, 250)),
        # Frame 100 begins at 3.33666...; written with three digits, with all, and cut off after six.
        (NTSC, 300, 3.337, None, (100, 200)),
        (NTSC, 300, 3.3366666666666664, None, (100, 200)),
        (NTSC, 300, 3.336666, 3.37, (100, 1)),
        (NTSC, 300, 3.338, None, (101, 199)),
        (Fraction(120), 1200, 1 / 120, 2 / 120, (1, 1)),
    ],
)
def test_what_a_trim_keeps(rate: Fraction, frames: int, start: float, end: float, expected: tuple[int, int]) -> None:
    assert kept(Trim(start=start, end=end), rate, frames) == expected


def test_parts_that_meet_share_no_frame_and_leave_none_out() -> None:
    borders = [0, 0.7, 1.0010, 3.3366, 3.3367, 5.5]
    parts = [
        kept(Trim(start=a, end=b), NTSC, 300) for a, b in zip(borders, [*borders[1:], 10.5], strict=True) if b - a > 0.1
    ]
    frames = [n for start, count in parts for n in range(start, start + count)]
    assert frames == list(range(300))


@pytest.mark.parametrize(
    ("moment", "frame"),
    [
        (0.0, 0),
        (0.039, 0),
        (0.04, 1),
        (0.0399, 1),
        (9.96, 249),
        (10.0, 249),
        ("0%", 0),
        ("50%", 125),
        ("100%", 249),
        ("0.4%", 1),
    ],
)
def test_which_frame_is_seen(moment: Moment, frame: int) -> None:
    assert shown("poster", moment, Fraction(25), 250) == frame


def test_a_moment_after_the_end() -> None:
    with pytest.raises(RequestError, match=r"^thumbnailsAt.3: 10.01 s is after the end; .* 10.000 s long"):
        shown("thumbnailsAt.3", 10.01, Fraction(25), 250)
