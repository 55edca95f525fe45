from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_pipeline.media.text.cues import LONGEST_GUESS, Cue, fit, webvtt

VIDEO = Fraction(10)


@pytest.mark.parametrize(
    ("given", "fitted"),
    [
        ([(1000, 2000, "a")], [(1000, 2000, "a")]),
        ([(-500, 700, "a"), (-500, -1, "gone")], [(0, 700, "a")]),
        ([(9000, 12_000, "a"), (10_000, 11_000, "gone")], [(9000, 10_000, "a")]),
        ([(3000, 4000, "b"), (1000, 2000, "a")], [(1000, 2000, "a"), (3000, 4000, "b")]),
        ([(1000, 2000, "")], []),
        ([(1000, None, "a"), (3000, 4000, "b")], [(1000, 3000, "a"), (3000, 4000, "b")]),
        ([(1000, 1000, "a")], [(1000, 1000 + LONGEST_GUESS, "a")]),
        ([(8000, None, "a")], [(8000, 10_000, "a")]),
        ([(1000, 2000, "a"), (2000, 3000, "a"), (3001, 4000, "a")], [(1000, 3000, "a"), (3001, 4000, "a")]),
        ([(1000, 5000, "a"), (2000, 3000, "b"), (2500, 6000, "a")], [(1000, 6000, "a"), (2000, 3000, "b")]),
        ([], []),
    ],
)
def test_fit(given: list[tuple[int, int | None, str]], fitted: list[tuple[int, int, str]]) -> None:
    assert fit((Cue(*cue) for cue in given), VIDEO) == fitted


times = st.integers(-2000, 12_000)


@given(st.lists(st.tuples(times, st.none() | times, st.sampled_from(["a", "b", ""])), max_size=8))
def test_all_that_should_be_seen_is_seen_and_nothing_else(cues: list[tuple[int, int | None, str]]) -> None:
    fitted = fit((Cue(*cue) for cue in cues), VIDEO)
    assert all(0 <= start < (end or 0) <= 10_000 and text for start, end, text in fitted)
    assert [cue.start for cue in fitted] == sorted(cue.start for cue in fitted)
    for moment in range(0, 10_000, 500):
        due = {text for start, end, text in cues if text and end is not None and start <= moment < end}
        shown = {text for start, end, text in fitted if start <= moment < (end or 0)}
        guessed = {text for start, end, text in cues if end is None or end <= start}
        assert due <= shown <= due | guessed


def test_written() -> None:
    text = webvtt([Cue(0, 1500, "a"), Cue(3_723_004, 3_723_005, "b\nc")], clock=False)
    assert text == "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\na\n\n01:02:03.004 --> 01:02:03.005\nb\nc\n"
