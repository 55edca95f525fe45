"""Faults of the text tracks: each is planted in a good release with two of them and chapters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from video_pipeline.media.checks import webvtt
from video_pipeline.media.checks.subtitles import subtitles
from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline.media.model import LeftOut
from video_pipeline.media.products import SUGGESTED
from video_pipeline_tests.media.release import Made

Plant = Callable[[Made], Made]
ENGLISH = "subtitles/en.vtt"


def vtt(change: Callable[[str], str]) -> Plant:
    """With another text in the English track."""

    def plant(made: Made) -> Made:
        [first, *others] = made.texts.tracks
        after = change(first.vtt)
        assert after != first.vtt
        changed = first.model_copy(update={"vtt": after, "cues": after.count(" --> ")})
        return replace(made, texts=made.texts.model_copy(update={"tracks": (changed, *others)}))

    return plant


def text(path: str, old: str, new: str) -> Plant:
    return lambda made: made.with_text(path, lambda whole: whole.replace(old, new, 1))


def without_track(made: Made) -> Made:
    return replace(made, texts=made.texts.model_copy(update={"tracks": made.texts.tracks[1:]}))


def with_chapters(chapters: str | None) -> Plant:
    return lambda made: replace(made, texts=made.texts.model_copy(update={"chapters": chapters}))


def left_out(made: Made) -> Made:
    more = (LeftOut(name="stream 9", why="nobody planned it"),)
    return replace(made, texts=made.texts.model_copy(update={"left_out": more}))


def test_a_good_release_passes(worded: Made) -> None:
    assert worded.failed() == {}
    [said] = [check.measured for check in worded.inspect().checks if check.name == "subtitles"]
    assert said == "2 tracks, 8 cues inside the video"


@pytest.mark.parametrize(
    ("plant", "subject", "measured"),
    [
        (vtt(lambda _: ""), ENGLISH, "does not begin with WEBVTT"),
        (vtt(lambda _: "WEBVTT\n"), ENGLISH, "there is no cue in it"),
        (vtt(lambda whole: whole.replace("WEBVTT", "WEBVT")), ENGLISH, "does not begin with WEBVTT"),
        (vtt(lambda whole: whole.replace(".500 -->", ",500 -->")), ENGLISH, "cue 1 has no times"),
        (vtt(lambda whole: whole.replace("&lt;", "<")), ENGLISH, "cue 2 has a bare '<'"),
        (vtt(lambda whole: whole.replace("&amp;", "&")), ENGLISH, "cue 1 has a bare '&'"),
        (vtt(lambda whole: whole.replace("</i>", "")), ENGLISH, "cue 1 leaves <i> open"),
        (vtt(lambda whole: whole.replace("<i>", "")), ENGLISH, "cue 1 closes <i>, which is not open"),
        (vtt(lambda whole: whole.replace("The end", "<b> </b>")), ENGLISH, "cue 3 shows nothing"),
        (vtt(lambda whole: whole.replace("00:00:04.000", "00:00:04.001")), ENGLISH, "cue 3 ends at 4.001 s, the video"),
        (vtt(lambda whole: whole.replace("00:00:00.500", "00:00:01.501")), ENGLISH, "cue 1 ends before it begins"),
        (vtt(lambda whole: whole.replace("03.000 -->", "01.400 -->")), ENGLISH, "cue 3 begins before the one before"),
        (with_chapters(None), "chapters.vtt", "3 chapters planned"),
        (with_chapters("WEBVTT\n\n00:00.000 --> 00:09.000\nx\n"), "chapters.vtt", "cue 1 ends at 9.000 s"),
        (left_out, "subtitles", "are not accounted for"),
    ],
    ids=range(15),
)
def test_a_bad_text_is_found(worded: Made, plant: Plant, subject: str, measured: str) -> None:
    failed = plant(worded).failed()
    assert set(failed) == {"subtitles"}
    assert failed["subtitles"].subject == subject
    assert measured in failed["subtitles"].measured


@pytest.mark.parametrize(
    ("cue", "measured"),
    [
        ("00:00.000 --> 00:04.000\nChapter 1", None),
        ("00:00.000 --> 00:09.000\nChapter 1", "cue 1 ends at 9.000 s"),
        ("Chapter 1", "cue 1 has no times"),
    ],
)
def test_suggested_chapters_lie_inside_the_video(worded: Made, cue: str, measured: str | None) -> None:
    found = subtitles(worded.plan, worded.texts, {SUGGESTED: f"WEBVTT\n\n{cue}\n"})
    assert found.passed is (measured is None)
    if measured:
        assert f"{SUGGESTED}: {measured}" in found.measured


def test_a_missing_file_is_found_by_both_checks(worded: Made) -> None:
    failed = without_track(worded).failed()
    assert set(failed) == {"subtitles", "references"}
    assert "of en, 1 are not accounted for" in failed["subtitles"].measured
    assert f"{MASTER}: names {ENGLISH}, which is not in the release" in failed["references"].measured


@pytest.mark.parametrize(
    ("plant", "subject", "measured"),
    [
        (text(MASTER, ',SUBTITLES="text"', ""), MASTER, "has the text tracks of nobody"),
        (text(MASTER, 'NAME="English"', 'NAME="Français"'), MASTER, "two text tracks have the same name"),
        (text(MASTER, "DEFAULT=NO", "DEFAULT=YES"), MASTER, "two text tracks are the default"),
        (text(MASTER, "text-en.m3u8", "text-fr.m3u8"), MASTER, f"does not name {ENGLISH}"),
        (text(MASTER, "text-en.m3u8", "text-de.m3u8"), MASTER, "names text-de.m3u8, which is not in the release"),
        (text("hls/text-en.m3u8", "en.vtt", "de.vtt"), MASTER, "names subtitles/de.vtt, which is not in the release"),
        (text("hls/text-en.m3u8", "EXTINF:4.0", "EXTINF:3.0"), "hls/text-en.m3u8", "its segments last 3.000 s"),
        (text("hls/text-en.m3u8", "DURATION:4", "DURATION:3"), "hls/text-en.m3u8", "target duration is 3 s"),
        (text("hls/text-en.m3u8", "#EXT-X-ENDLIST", ""), "hls/text-en.m3u8", "has no end"),
        (text(MPD, "subtitles/en.vtt", "subtitles/fr.vtt"), MPD, f"does not name {ENGLISH}"),
        (text(MPD, "../subtitles/en", "subtitles/en"), MPD, "names dash/subtitles/en.vtt, which is not in the release"),
    ],
    ids=range(11),
)
def test_a_false_reference_is_found(worded: Made, plant: Plant, subject: str, measured: str) -> None:
    failed = plant(worded).failed()
    # What the master says of the wrong track is false, too, and a playlist it does not name is of no known kind.
    assert set(failed) - {"descriptions", "authoring"} == {"references"}
    assert failed["references"].subject == subject
    assert measured in failed["references"].measured


@pytest.mark.parametrize(
    ("written", "cues"),
    [
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nx", [(1000, 2000, "x")]),
        ("WEBVTT - a title\nX: y\n\n01:00:01.000 --> 01:00:02.500\n<b>x</b>\ny\n", [(3601000, 3602500, "<b>x</b>\ny")]),
    ],
)
def test_what_webvtt_is(written: str, cues: list[tuple[int, int, str]]) -> None:
    assert webvtt.read(written) == cues
