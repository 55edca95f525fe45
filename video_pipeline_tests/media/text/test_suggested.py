from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from video_pipeline.media.checks import webvtt
from video_pipeline.media.products import Scene
from video_pipeline.media.text.suggested import chapters, suggested

NTSC = Fraction(30000, 1001)
Kind = Literal["cut", "fade", "dissolve"]
CUT: tuple[int, Kind] = (100, "cut")


def film(*parts: tuple[int, Kind]) -> list[Scene]:
    """Scenes of so many frames, each with how it begins."""
    found, start = [], 0
    for index, (frames, kind) in enumerate(parts):
        found.append(Scene(index=index, start=start, end=start + frames, transition=kind if index else "start"))
        start += frames
    return found


def test_a_video_of_one_scene_has_none() -> None:
    assert suggested(film((5000, "cut")), Fraction(25), 5000) is None


def test_a_short_video_has_none() -> None:
    assert suggested(film((200, "cut"), (290, "cut")), Fraction(25), 490) is None


def test_fades_go_before_dissolves_and_these_before_cuts() -> None:
    scenes = film((260, "cut"), (40, "cut"), (40, "dissolve"), (40, "fade"), (400, "cut"), (400, "dissolve"))
    assert chapters(scenes, Fraction(25), 1180) == [0, 340, 780]


def test_of_equally_strong_ones_the_middle_is_taken() -> None:
    assert chapters(film(*[CUT] * 6), Fraction(25), 600) == [0, 300]


def test_the_text_covers_the_video() -> None:
    text = suggested(film((400, "cut"), (500, "fade"), (391, "cut")), NTSC, 1291)
    assert text is not None
    cues = webvtt.read(text)
    assert [said for *_, said in cues] == ["Chapter 1", "Chapter 2", "Chapter 3"]
    assert [start for start, *_ in cues] == [0, 13346, 30030]
    assert cues[-1][1] == 43076
    assert all(one[1] == following[0] for one, following in pairwise(cues))


@given(st.lists(st.tuples(st.integers(15, 900), st.sampled_from(["cut", "fade", "dissolve"])), min_size=1, max_size=60))
def test_none_is_short_and_each_begins_with_a_scene(parts: list[tuple[int, Kind]]) -> None:
    scenes = film(*parts)
    frames = scenes[-1].end
    starts = chapters(scenes, Fraction(25), frames)
    assert len(starts) != 1
    assert len(starts) <= 20
    assert {*starts} <= {scene.start for scene in scenes}
    assert all(end - start >= max(250, frames / 20) for start, end in pairwise([*starts, frames]) if starts)


def test_a_day_of_cuts() -> None:
    assert len(chapters(film(*[CUT] * 20_000), Fraction(25), 2_000_000)) in range(10, 21)
