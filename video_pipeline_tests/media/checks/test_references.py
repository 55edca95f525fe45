"""Faults of what manifests point to; each is planted in the manifests of a good release."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline_tests.media.checks.faults import Fault, assert_only
from video_pipeline_tests.media.release import LARGE, SMALL, Made

PLAYLIST, SOUND, KEYS = f"hls/{SMALL}.m3u8", "hls/audio-1.m3u8", f"hls/{SMALL}-iframes.m3u8"


def text(path: str, change: Callable[[str], str], measured: str, subject: str | None = None) -> Fault:
    return Fault(lambda made, _: made.with_text(path, change), subject or path, measured)


def shift(pattern: str, by: int, count: int = 1) -> Callable[[str], str]:
    """Adds to the number that is the pattern's only group."""

    def change(whole: str) -> str:
        found = list(re.finditer(pattern, whole))[count - 1]
        return whole[: found.start(1)] + str(int(found[1]) + by) + whole[found.end(1) :]

    return change


def without(pattern: str) -> Callable[[str], str]:
    return lambda whole: re.sub(pattern, "", whole, count=1)


def media_uri(made: Made, name: str) -> str:
    return next(f"../../../media/{file.file.sha256}.mp4" for file in made.streams.media if file.name == name)


def listed_larger(made: Made, _: Path) -> Made:
    media = list(made.streams.media)
    blob = media[0].file
    media[0] = media[0].model_copy(update={"file": blob.model_copy(update={"size": blob.size + 1})})
    return replace(made, streams=made.streams.model_copy(update={"media": tuple(media)}))


def without_text(path: str) -> Callable[[Made, Path], Made]:
    def plant(made: Made, _: Path) -> Made:
        texts = {name: text for name, text in made.streams.texts.items() if name != path}
        return replace(made, streams=made.streams.model_copy(update={"texts": texts}))

    return plant


def wrong_track(made: Made, _: Path) -> Made:
    """Every range is true, but of the other rendition."""
    return made.with_text(PLAYLIST, lambda _: made.streams.texts[f"hls/{LARGE}.m3u8"])


def swapped_in_mpd(made: Made, _: Path) -> Made:
    small, large = media_uri(made, SMALL), media_uri(made, LARGE)
    return made.with_text(MPD, lambda mpd: mpd.replace(small, "X").replace(large, small).replace("X", large))


FAULTS = {
    "size listed": Fault(listed_larger, LARGE, r"has (\d+) bytes, \d+ are listed"),
    "missing file": text(PLAYLIST, lambda t: re.sub(r"\w{64}", "0" * 64, t), "names ../../../media/0{64}.mp4"),
    "two files": text(PLAYLIST, lambda t: re.sub(r"\w{64}(?=.mp4\n)", "1" * 64, t, count=1), "names .*1{64}.mp4"),
    "another track's file": Fault(wrong_track, PLAYLIST, f"names the file of {LARGE}"),
    "range beyond the file": text(PLAYLIST, shift(r"BYTERANGE:(\d+)\n", 1000), r"ends at byte \d+, the file at \d+"),
    "range starts late": text(PLAYLIST, shift(r"BYTERANGE:\d+@(\d+)", 1), r"segment 0 is bytes 954 to \d+, by the"),
    "segment too long": text(PLAYLIST, shift(r"EXTINF:2.0(\d)", 3), r"segment 1 lasts 2.03\d* s, in the file 2.000 s"),
    "segment left out": text(PLAYLIST, without(r"#EXTINF:2.0+,\n.*\n.*\n"), r"last 4.000 s, planned 6.000 s"),
    "no end": text(SOUND, without("#EXT-X-ENDLIST"), "has no end"),
    "header too short": text(SOUND, shift(r'BYTERANGE="(\d+)@', -1), r"names bytes \d+@0 as header, which ends"),
    "target too short": replace(
        text(SOUND, lambda t: t.replace("DURATION:5", "DURATION:3"), r"4.011 s, target duration is 3 s"),
        also=frozenset({"authoring"}),
    ),
    "no number": text(SOUND, lambda t: t.replace("BYTERANGE:", "BYTERANGE:x"), "cannot be read"),
    "key frame cut": text(KEYS, shift(r"BYTERANGE:(\d+)@", -1), r"key frame 0 is bytes 953 to \d+, by the file it is"),
    "key frame shifted": text(KEYS, shift(r"BYTERANGE:\d+@(\d+)", 8, 2), "key frame 1 is bytes"),
    "key frame left out": text(
        KEYS,
        lambda t: re.sub(r"#EXTINF:2.0+,\n.*\n.*\n", "", t, count=1).replace("2.0", "3.0"),
        "names 2 key frames, the file has 3",
    ),
    "key frames' times": text(
        KEYS, lambda t: t.replace("2.0", "1.9", 1)[::-1].replace("0.2", "1.2", 1)[::-1], "lasts not until the next"
    ),
    "unknown playlist": text(MASTER, lambda t: t.replace(f"{SMALL}.m3u8", "h264-999p.m3u8"), "names h264-999p.m3u8"),
    "variant left out": text(MASTER, without(rf"#EXT-X-STREAM-INF.*\n{SMALL}.m3u8\n"), f"does not name {SMALL}.m3u8"),
    "sound left out": text(MASTER, without(r"#EXT-X-MEDIA.*\n"), "does not name audio-1.m3u8"),
    "key frames left out": replace(
        text(MASTER, without(r"#EXT-X-I-FRAME.*\n"), f"does not name {LARGE}-iframes.m3u8"),
        also=frozenset({"authoring"}),
    ),
    "no master": Fault(without_text(MASTER), MASTER, "is missing"),
    "no MPD": Fault(without_text(MPD), MPD, "is missing"),
    "MPD too long": text(MPD, lambda t: t.replace("PT6.0", "PT7.0", 1), "lasts PT7.000000S, planned 6.000 s"),
    "MPD without duration": text(MPD, without(' duration="[^"]*"'), "lasts nothing, planned"),
    "MPD names a missing file": text(MPD, lambda t: re.sub(r"\w{64}", "2" * 64, t, count=1), "names .*2{64}.mp4"),
    "MPD leaves a track out": text(
        MPD, without(r'(?s)<AdaptationSet contentType="audio".*?</AdaptationSet>'), "does not name audio-1"
    ),
    "MPD header": text(MPD, shift(r'Initialization range="0-(\d+)', 1), "header of .* is at bytes 0-897, it is at"),
    "MPD index": text(MPD, shift(r'indexRange="(\d+)-', -4), r"index of .* is at bytes 893-\d+, it is at 897-"),
    "MPD swaps two files": Fault(swapped_in_mpd, MPD, f"names the file of {LARGE} for {SMALL}"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_false_reference_is_found(made: Made, tmp_path: Path, fault: Fault) -> None:
    assert_only("references", fault, made, tmp_path)


@pytest.mark.parametrize(
    ("path", "plant"),
    [
        pytest.param(MPD, lambda made, _: made.with_text(MPD, lambda mpd: mpd[:-20]), id="cut-off MPD"),
        pytest.param(MPD, lambda made, _: made.with_text(MPD, lambda _: "{}"), id="no XML"),
        pytest.param(MASTER, without_text(SOUND), id="missing playlist"),
        pytest.param(KEYS, lambda made, _: made.with_text(KEYS, lambda _: "<html>404</html>"), id="no playlist"),
    ],
)
def test_what_cannot_be_read_has_no_bit_rate_either(
    made: Made, tmp_path: Path, path: str, plant: Callable[[Made, Path], Made]
) -> None:
    failed = plant(made, tmp_path).failed()
    assert set(failed) - {"authoring"} == {"references", "bandwidth"}
    assert failed["references"].subject == path


def test_an_entity_of_the_mpd_is_not_fetched(made: Made, tmp_path: Path) -> None:
    """An XML entity could name any file of this machine."""
    secret = tmp_path / "secret"
    secret.write_text("top secret")
    doctype = f'<!DOCTYPE MPD [<!ENTITY x SYSTEM "file://{secret}">]>\n<MPD'
    broken = made.with_text(
        MPD, lambda mpd: re.sub(r"<MPD", doctype, mpd, count=1).replace("<BaseURL>", "<BaseURL>&x;")
    )
    failed = broken.failed()
    assert "references" in failed
    assert not any("top secret" in result.measured for result in failed.values())
