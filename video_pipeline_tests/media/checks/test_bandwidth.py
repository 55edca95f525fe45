"""Bit rates that manifests state wrongly."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline_tests.media.checks.faults import Fault, assert_only
from video_pipeline_tests.media.release import LARGE, SMALL, Made

AVERAGE, PEAK = "AVERAGE-BANDWIDTH", "(?<=[:,])BANDWIDTH"


def times(factor: float, attribute: str, line: str) -> Callable[[str], str]:
    """Multiplies one attribute on the first line that matches."""

    def change(text: str) -> str:
        found = re.search(rf"{line}", text, re.MULTILINE)
        assert found
        place = re.compile(rf'{attribute}="?(\d+)').search(text, found.start(), found.end())
        assert place
        return text[: place.start(1)] + str(round(int(place[1]) * factor)) + text[place.end(1) :]

    return change


def stated(path: str, change: Callable[[str], str], measured: str) -> Fault:
    return Fault(lambda made, _: made.with_text(path, change), path, measured)


VARIANT, PICTURES = rf"^#EXT-X-STREAM.*\n{SMALL}.m3u8", rf"^#EXT-X-I-FRAME.*{LARGE}.*$"
FAULTS = {
    "variant, 30 % too high": stated(
        MASTER, times(1.3, PEAK, VARIANT), rf"BANDWIDTH of {SMALL} says \d+, measured \d+"
    ),
    "variant, 30 % too low": stated(MASTER, times(0.7, PEAK, VARIANT), rf"BANDWIDTH of {SMALL} says \d+, measured \d+"),
    "variant, 12 % too low": stated(
        MASTER, times(0.88, PEAK, VARIANT), rf"BANDWIDTH of {SMALL} says \d+, measured \d+"
    ),
    "average": stated(MASTER, times(1.3, AVERAGE, VARIANT), rf"AVERAGE-BANDWIDTH of {SMALL} says \d+, measured"),
    "no average": replace(
        stated(MASTER, lambda t: re.sub(rf"{AVERAGE}=\d+,", "", t), f"AVERAGE-BANDWIDTH of {LARGE} says None"),
        also=frozenset({"authoring"}),
    ),
    "key frames": stated(MASTER, times(1.3, PEAK, PICTURES), rf"BANDWIDTH of {LARGE}-iframes.m3u8 says \d+"),
    "key frames' average": stated(MASTER, times(0.7, AVERAGE, PICTURES), rf"AVERAGE-BANDWIDTH of {LARGE}-iframes"),
    "MPD video": stated(MPD, times(1.3, "bandwidth", f'^.*id="{SMALL}".*$'), f"bandwidth of {SMALL} says"),
    "tiles": stated(MASTER, times(1.3, PEAK, "^#EXT-X-IMAGE.*$"), r"BANDWIDTH of sprites.m3u8 says \d+, measured \d+"),
    "tiles' average": stated(MASTER, times(0.7, AVERAGE, "^#EXT-X-IMAGE.*$"), "AVERAGE-BANDWIDTH of sprites.m3u8 says"),
    "MPD tiles": stated(MPD, times(1.3, "bandwidth", '^.*id="sprites".*$'), "bandwidth of sprites says"),
    "MPD audio": stated(
        MPD, times(0.7, "bandwidth", '^.*id="audio-1".*$'), r"bandwidth of audio-1 says \d+, measured \d+"
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_false_bit_rate_is_found(made: Made, tmp_path: Path, fault: Fault) -> None:
    assert_only("bandwidth", fault, made, tmp_path)


@pytest.mark.parametrize("factor", [0.93, 1.07])
def test_what_players_do_not_notice_passes(made: Made, factor: float) -> None:
    assert made.with_text(MASTER, times(factor, PEAK, VARIANT)).failed() == {}


def test_the_measured_rate_is_that_of_the_file(made: Made) -> None:
    """The sound's whole file but its header, over the time it lasts."""
    path = made.media["audio-1"]
    content = path.read_bytes()
    bits = 8 * (len(content) - content.index(b"moof") + 4)
    failed = made.with_text(MPD, times(2, "bandwidth", '^.*id="audio-1".*$')).failed()
    found = re.search(r"measured (\d+) bit/s", failed["bandwidth"].measured)
    assert found
    assert int(found[1]) == pytest.approx(bits / 6, rel=0.02)


def test_no_number_is_a_failed_check(made: Made) -> None:
    failed = made.with_text(MPD, lambda mpd: re.sub(r'bandwidth="\d+"', 'bandwidth="fast"', mpd)).failed()
    assert set(failed) == {"bandwidth"}
