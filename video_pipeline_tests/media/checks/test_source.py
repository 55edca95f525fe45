"""The checks of what the frames show, on a map with one thing changed."""

from __future__ import annotations

from dataclasses import replace

from video_pipeline.media.model import LeftOut, Span
from video_pipeline_tests.media.release import Made


def with_map(made: Made, **change: object) -> Made:
    return replace(made, shown=made.shown.model_copy(update=change))


def test_the_clean_clip_shows_each_picture_once(made: Made) -> None:
    assert (made.shown.frames, made.shown.pictures, made.shown.repeated, made.shown.lost) == (150, 150, 0, 0)
    assert made.shown.damage == 0


def test_a_picture_at_another_time_fails(made: Made) -> None:
    failed = with_map(made, worst_offset=0.1).failed()
    assert set(failed) == {"frame_times"}
    assert "0.100 s away from its time, 0.022 s at most" in failed["frame_times"].measured


def test_fewer_frames_than_planned_fail(made: Made) -> None:
    failed = with_map(made, frames=149).failed()
    assert set(failed) == {"frame_times"}
    assert "149 frames were made of it, 150 planned" in failed["frame_times"].measured


def test_damage_is_told_and_does_not_hold_the_release_back(made: Made) -> None:
    report = with_map(made, lost=3, broken=12, places=(Span(start=1.25, end=3.5),)).inspect()
    assert report.passed
    (damage,) = [check for check in report.checks if not check.passed]
    assert damage.warning
    assert damage.subject == "source"
    assert damage.measured == "source: 3 pictures of 153 are lost and 12 broken (9.8%), at 1.2 to 3.5 s"


def test_what_is_cut_off_is_told(made: Made) -> None:
    report = with_map(made, missing=40).inspect()
    assert report.passed
    (damage,) = [check for check in report.checks if not check.passed]
    assert damage.measured == "source: the file was cut off at 6.0 s: 40 of 190 pictures are missing"


def test_lost_sound_is_told(made: Made) -> None:
    track = made.plan.audio[0].model_copy(update={"broken": 99, "lost": 2.31})
    left_out = (LeftOut(name="stream 2", why="nothing of it can be decoded (aac)"),)
    plan = made.plan.model_copy(update={"audio": (track,), "audio_left_out": left_out})
    report = replace(made, plan=plan).inspect()
    assert report.passed
    (damage,) = [check for check in report.checks if not check.passed]
    assert damage.measured == (
        "audio-1: 2.3 s of 6.0 s of sound are lost (99 errors); "
        "sound: stream 2 is left out: nothing of it can be decoded (aac)"
    )
