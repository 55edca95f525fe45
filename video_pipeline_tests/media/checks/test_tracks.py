"""Faults of the packaged tracks, planted in real files.

Files that play but are not what was planned are encoded anew and packaged, so that every manifest is true of them and
only the check in question has a reason to fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from video_pipeline_tests import ffprobe
from video_pipeline_tests.media.checks.faults import Fault, assert_only
from video_pipeline_tests.media.release import SMALL, Made, run_ffmpeg


def encoded_anew(filters: str, keys: str = "expr:gte(t,n_forced*2)") -> Callable[[Made, Path], Made]:
    """The small rendition through `filters`, with key frames where `keys` says."""

    def plant(made: Made, directory: Path) -> Made:
        out = directory / "anew.mp4"
        encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "9999", "-sc_threshold", "0"]
        clock = ["-fps_mode", "passthrough", "-enc_time_base", "1:10000", "-video_track_timescale", "10000"]
        filters_in_ticks = f"settb=1/10000,{filters}"
        source = made.encoded[SMALL]
        run_ffmpeg(made.tools, "-i", source, "-vf", filters_in_ticks, *encoder, *clock, "-force_key_frames", keys, out)
        return made.repackaged({SMALL: out}, directory)

    return plant


def sound_anew(*args: str) -> Callable[[Made, Path], Made]:
    def plant(made: Made, directory: Path) -> Made:
        out = directory / "anew.mp4"
        run_ffmpeg(made.tools, "-i", made.encoded["audio-1"], *args, "-c:a", "aac", out)
        return made.repackaged({"audio-1": out}, directory)

    return plant


def packaged_with(**plan: int) -> Callable[[Made, Path], Made]:
    """Every track packaged for another plan than the one it is checked against."""
    return lambda made, directory: made.repackaged({}, directory, made.plan.model_copy(update=plan))


def damaged(name: str) -> Callable[[Made, Path], Made]:
    """The middle of a packet that is no key frame becomes ones, the file keeps its size."""

    def plant(made: Made, directory: Path) -> Made:
        packets = ffprobe.show(made.tools, made.media[name], "-show_packets")["packets"]
        packet = next(p for p in packets[60:] if name == "audio-1" or "K" not in p["flags"])
        start, size = int(packet["pos"]) + 8, int(packet["size"]) - 8
        return made.with_media(name, directory, lambda b: b[:start] + b"\xff" * size + b[start + size :])

    return plant


FRAME = "setpts=N*400"
FAULTS: list[tuple[str, str, Fault]] = [
    (
        "decodes",
        "damaged pictures",
        Fault(damaged(SMALL), SMALL, "h264|error|concealing", frozenset({"picture_times"})),
    ),
    (
        "decodes",
        "damaged sound",
        Fault(damaged("audio-1"), "audio-1", "aac|[Ee]rror|[Ii]nvalid", frozenset({"sound_times"})),
    ),
    (
        "frame_count",
        "dropped frame",
        Fault(encoded_anew(f"{FRAME},select=not(eq(n\\,30))"), SMALL, "149 frames decoded and 149 stored, 150 planned"),
    ),
    (
        "duration",
        "half a frame too long",
        Fault(encoded_anew("setpts=if(eq(N\\,149)\\,149.5\\,N)*400"), SMALL, r"6\.0\d+ s, 6\.000 s planned"),
    ),
    (
        "key_frames",
        "key frame late",
        Fault(
            encoded_anew(FRAME, "0,2.04,4"), SMALL, r"3 key frames, 3 planned; not on the grid at 2\.000 s, 2\.040 s"
        ),
    ),
    (
        "key_frames",
        "key frame missing",
        Fault(encoded_anew(FRAME, "0,4"), SMALL, r"2 key frames, 3 planned; not on the grid at 2\.000 s"),
    ),
    (
        "key_frames",
        "short segments",
        Fault(packaged_with(segment=50), "h264-360p", r"segment 1 starts at 2\.000 s, planned 4\.000 s"),
    ),
    (
        "track_ends",
        "sound left out",
        Fault(
            lambda made, directory: made.repackaged({"audio-1": None}, directory), "audio-1", "planned but not there"
        ),
    ),
    (
        "track_ends",
        "rendition left out",
        Fault(lambda made, directory: made.repackaged({SMALL: None}, directory), SMALL, "planned but not there"),
    ),
    (
        "track_ends",
        "sound not planned",
        Fault(
            lambda made, _: replace(made, plan=made.plan.model_copy(update={"audio": ()})),
            "audio-1",
            "there but not planned",
            frozenset({"descriptions"}),
        ),
    ),
]


@pytest.mark.parametrize(
    ("check", "fault"), [pytest.param(check, fault, id=f"{check}: {name}") for check, name, fault in FAULTS]
)
def test_a_wrong_track_is_found(made: Made, tmp_path: Path, check: str, fault: Fault) -> None:
    assert_only(check, fault, made, tmp_path)


def test_an_extra_frame_is_also_longer(made: Made, tmp_path: Path) -> None:
    failed = encoded_anew(f"{FRAME},tpad=stop=1:stop_mode=clone", "0,2,4")(made, tmp_path).failed()
    assert set(failed) == {"frame_count", "duration"}
    assert failed["frame_count"].measured == f"{SMALL}: 151 frames decoded and 151 stored, 150 planned"
    assert failed["duration"].measured == f"{SMALL}: 6.040 s, 6.000 s planned"


def test_an_extra_key_frame_is_not_in_its_playlist(made: Made, tmp_path: Path) -> None:
    """The packager lists one key frame for each fragment it was asked for."""
    failed = encoded_anew(FRAME, "0,2,3,4")(made, tmp_path).failed()
    assert "4 key frames, 3 planned; not on the grid at 3.000 s" in failed["key_frames"].measured
    assert failed["key_frames"].subject == SMALL
    assert "names 3 key frames, the file has 4" in failed["references"].measured


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        pytest.param(
            sound_anew("-t", "5.7"), r"audio-1: from -0\.0\d+ to 5\.\d+ s, planned from 0 to 6\.000 s", id="short"
        ),
        pytest.param(sound_anew("-af", "apad=pad_dur=0.3"), r"audio-1: from -0\.0\d+ to 6\.3\d+ s, planned", id="long"),
    ],
)
def test_sound_must_end_with_the_pictures(
    made: Made, tmp_path: Path, plant: Callable[[Made, Path], Made], said: str
) -> None:
    """Its playlist then lasts as long as it does, which `references` compares with the plan too."""
    failed = plant(made, tmp_path).failed()
    assert set(failed) == {"track_ends", "references"}
    assert failed["track_ends"].subject == "audio-1"
    assert re.search(said, failed["track_ends"].measured)


def test_sound_up_to_two_frames_short_is_no_fault(made: Made, tmp_path: Path) -> None:
    assert sound_anew("-t", "5.97")(made, tmp_path).failed() == {}
