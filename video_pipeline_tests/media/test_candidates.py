"""Which frames are chosen of those whose scores are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from video_pipeline.media.candidates import Choice, choose, wanted
from video_pipeline.media.frame_score import Scored
from video_pipeline.media.image_products import Score
from video_pipeline.media.model import EncodingPlan, Span
from video_pipeline.media.products import Scene
from video_pipeline_tests.media.test_bitrate import plan

HASHES = np.random.default_rng(1).integers(0, 2**63, 10_000)


def seen(frame: int, worth: float = 0.5, fault: str = "", drawn: str = "", fingerprint: int | None = None) -> Scored:
    """Another picture than every other, by default."""
    parts = Score(**dict.fromkeys(Score.model_fields, worth))
    return Scored(frame, parts, fault, drawn, 118.0, int(HASHES[frame]) if fingerprint is None else fingerprint, b"")


def planned(frames: int, count: int = 8) -> EncodingPlan:
    bare = plan(frames)
    return bare.model_copy(update={"images": bare.images.model_copy(update={"candidates": count})})


def chosen(
    frames: Sequence[Scored], length: int, count: int = 8, scenes: Sequence[Scene] = (), black: Sequence[Span] = ()
) -> Choice:
    scenes = scenes or (Scene(index=0, start=0, end=length),)
    return choose(
        {one.frame: one for one in frames}, [one.frame for one in frames], scenes, black, planned(length, count)
    )


def numbers(choice: Choice) -> list[int]:
    return [one.frame for one in choice.chosen]


def why(choice: Choice) -> dict[int, str]:
    return {one.frame: one.why for one in choice.rejected}


def test_the_best_is_first_and_the_others_follow_by_rank() -> None:
    frames = [seen(n, 0.3 + 0.01 * (n * 7 % 50)) for n in range(100, 2900, 100)]
    choice = chosen(frames, 3000)
    scores = [one.score for one in choice.chosen]
    assert len(scores) == 9
    assert scores == sorted(scores, reverse=True)
    assert numbers(choice)[0] == max(frames, key=lambda one: one.score).frame


def test_they_come_from_all_over_the_video() -> None:
    """Although the first third is better throughout."""
    frames = [seen(n, 0.7 if n < 1000 else 0.55) for n in range(50, 3000, 50)]
    thirds = [n // 1000 for n in numbers(chosen(frames, 3000))]
    assert min(thirds.count(third) for third in range(3)) >= 2


def test_but_not_at_the_cost_of_what_is_much_worse() -> None:
    frames = [seen(n, 0.8 if n < 1500 else 0.2) for n in range(50, 3000, 50)]
    assert max(numbers(chosen(frames, 3000, count=4))) < 1500


def test_one_of_two_that_are_alike() -> None:
    frames = [seen(100, 0.6, fingerprint=0b1111), seen(2000, 0.7, fingerprint=0b11), seen(1000, 0.2)]
    choice = chosen(frames, 3000)
    assert numbers(choice) == [2000, 1000]
    assert why(choice) == {100: "looks like frame 2000: 2 of 64 bits of their hashes differ"}


def test_nothing_inside_a_transition_or_black() -> None:
    scenes = (
        Scene(index=0, start=0, end=500, transition="start"),
        Scene(index=1, start=500, end=1000, transition="dissolve", transition_frames=50),
    )
    frames = [seen(n, 0.9 if n in (480, 520, 810) else 0.4) for n in (250, 470, 480, 520, 530, 700, 810)]
    choice = chosen(frames, 1000, scenes=scenes, black=(Span(start=32, end=33),))
    assert sorted(numbers(choice)) == [250, 470, 530, 700]
    dissolve = "inside a dissolve of 50 frames around 20.00 s"
    assert why(choice) == {480: dissolve, 520: dissolve, 810: "inside black from 32.00 to 33.00 s"}


def test_far_from_a_cut_is_better_and_the_words_say_how_far() -> None:
    scenes = (Scene(index=0, start=0, end=500, transition="start"), Scene(index=1, start=500, end=1000))
    choice = chosen([seen(503), seen(750)], 1000, scenes=scenes)
    assert numbers(choice) == [750, 503]
    assert [one.parts.placement for one in choice.chosen] == [1.0, 0.24]
    assert choice.reasons[503] == "0.1 s from the nearest cut"
    assert chosen([seen(25)], 1000).reasons[25].endswith("1.0 s from the beginning")


def test_words_for_what_is_good_and_bad() -> None:
    good, bad = chosen([seen(500, 0.95), seen(900, 0.1)], 1000).reasons.values()
    assert good == "sharp, rich in contrast, well exposed, colourful, at rest, 20.0 s from the beginning"
    assert bad == "soft, faint, bright, nearly without colour, moving, 4.0 s from the end"


def test_cards_are_rejected_however_good() -> None:
    frames = [seen(100, 0.9, drawn="a card"), *(seen(n, 0.3) for n in (500, 900))]
    choice = chosen(frames, 1000)
    assert sorted(numbers(choice)) == [500, 900]
    assert why(choice) == {100: "a card"}


def test_unless_most_are_such() -> None:
    """Slides with one look at the speaker."""
    frames = [seen(300, 0.3), *(seen(n, 0.6, drawn="a card") for n in (100, 500, 700, 900))]
    choice = chosen(frames, 1000)
    assert sorted(numbers(choice)) == [100, 300, 500, 700, 900]
    assert choice.rejected == ()


def test_never_nothing() -> None:
    """The best of what is no good, which says so."""
    choice = chosen([seen(100, 0.1, "mean luma 2: black"), seen(500, 0.2, "mean luma 9: black")], 1000)
    assert numbers(choice) == [500]
    assert choice.reasons[500] == "nothing better was found: mean luma 9: black"
    assert why(choice) == {100: "mean luma 2: black"}
    nothing = choose({}, [7], (Scene(index=0, start=0, end=10),), (), planned(10))
    assert (numbers(nothing), nothing.reasons[7]) == ([7], "nothing better was found: it cannot be decoded")


def test_frames_inside_of_scenes_are_looked_at() -> None:
    scenes = [Scene(index=n, start=100 * n, end=100 * (n + 1)) for n in range(70)]
    looked = wanted(scenes)
    assert len(looked) == 300
    assert {n % 100 for n in looked} == {20, 35, 50, 65, 80}
