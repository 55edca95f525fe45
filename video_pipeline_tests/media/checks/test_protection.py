"""Encrypted releases of all four families pass every check, and each fault in one is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from video_pipeline.media.checks.protection import protection, unlock
from video_pipeline.media.model import ProtectionPlan
from video_pipeline.media.products import CheckResult
from video_pipeline.media.protection import ContentKey
from video_pipeline_tests.key_server import KEY, KEY_ID
from video_pipeline_tests.media.release import LARGE, SMALL, Made

SECRET = ContentKey("clip", KEY_ID, bytes.fromhex(KEY))
URI = "https://k.example/{video_id}"
PLANS = {
    "cenc": ProtectionPlan(scheme="cenc", key_uri=URI, license_uri="https://k.example/licence"),
    "cbcs": ProtectionPlan(scheme="cbcs", key_uri=URI),
    "aes-128": ProtectionPlan(scheme="aes-128", key_uri=URI),
}


@pytest.mark.slow
@pytest.mark.parametrize("scheme", PLANS)
def test_all_families_pass_every_check(families: Made, scheme: str, tmp_path: Path) -> None:
    sealed = families.protected(PLANS[scheme], SECRET, tmp_path)
    assert sealed.failed() == {}
    said = {check.name: check.measured for check in sealed.inspect().checks}
    assert f"of {len(sealed.media)} tracks" in said["protection"]
    assert len(sealed.media) == 9


@pytest.fixture(scope="module")
def sealed(made: Made, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    return {scheme: made.protected(plan, SECRET, tmp_path_factory.mktemp(scheme)) for scheme, plan in PLANS.items()}


@pytest.mark.parametrize("scheme", PLANS)
def test_every_check_passes(sealed: dict[str, Made], scheme: str) -> None:
    assert sealed[scheme].failed() == {}


def checked(m: Made) -> CheckResult:
    """This check alone."""
    with TemporaryDirectory() as work:
        unlocked = (
            unlock(m.tools, m.plan, m.streams, m.media, m.key, Path(work)) if m.key and m.plan.protection else None
        )
        return protection(m.tools, m.plan, m.streams, m.media, m.encoded, m.key, unlocked)


def in_the_clear(m: Made, made: Made, _: Path) -> Made:
    """As the packager leaves it that is asked for aes-128 of MP4."""
    return replace(m, media=made.media)


def one_track(m: Made, made: Made, _: Path) -> Made:
    return replace(m, media={**m.media, "audio-1": made.media["audio-1"]})


def other_key(m: Made, made: Made, directory: Path) -> Made:
    other = made.protected(m.plan.protection or PLANS["cenc"], replace(SECRET, key=bytes(16)), directory)
    return replace(other, key=SECRET)


def other_key_id(m: Made, made: Made, directory: Path) -> Made:
    return replace(m, key=replace(SECRET, key_id="0" * 32))


def other_encoding(m: Made, made: Made, _: Path) -> Made:
    return replace(m, encoded={**m.encoded, SMALL: m.encoded[LARGE]})


def no_key(m: Made, made: Made, _: Path) -> Made:
    return m.with_text(f"hls/{SMALL}.m3u8", lambda text: text.replace("#EXT-X-KEY", "#EXT-X-NOTE"))


def key_of_another_video(m: Made, made: Made, _: Path) -> Made:
    return m.with_text("hls/audio-1.m3u8", lambda text: text.replace("k.example/clip", "k.example/film"))


def clear_tail(m: Made, made: Made, _: Path) -> Made:
    def change(text: str) -> str:
        head, tail = text.rsplit("#EXTINF", 1)
        return f"{head}#EXT-X-KEY:METHOD=NONE\n#EXTINF{tail}"

    return m.with_text(f"hls/{LARGE}.m3u8", change)


def mpd_without_key(m: Made, made: Made, _: Path) -> Made:
    return m.with_text("dash/manifest.mpd", lambda text: text.replace("mp4protection", "nothing", 1))


def mpd_without_licence(m: Made, made: Made, _: Path) -> Made:
    return m.with_text("dash/manifest.mpd", lambda text: text.replace("k.example/licence", "k.example/nothing", 1))


def mpd_beside(m: Made, made: Made, _: Path) -> Made:
    texts = {**m.streams.texts, "dash/manifest.mpd": made.streams.texts["dash/manifest.mpd"]}
    return replace(m, streams=m.streams.model_copy(update={"texts": texts}))


def flipped(m: Made, made: Made, directory: Path) -> Made:
    """A byte in the last packet of the sound, where a decoder need not stumble."""
    return m.with_media("audio-1", directory, lambda data: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])


Fault = Callable[[Made, Made, Path], Made]
FAULTS: list[tuple[str, Fault, str]] = [
    ("cenc", other_key, "with the right key, packet 0 is not"),
    ("aes-128", other_key, "0 packets with the right key"),
    ("cbcs", other_encoding, f"{SMALL}: with the right key, packet 0 is not the encoder's"),
    ("cenc", no_key, f"hls/{SMALL}.m3u8: names no key"),
    ("aes-128", no_key, f"hls/{SMALL}.m3u8: names no key"),
    ("cbcs", clear_tail, f"hls/{LARGE}.m3u8: names "),
    ("cenc", in_the_clear, "described as avc1"),
    ("cbcs", one_track, "audio-1: its samples are described as mp4a"),
    ("aes-128", in_the_clear, "with the right key"),
    ("cbcs", other_key_id, f"its key is {KEY_ID}"),
    ("cbcs", key_of_another_video, "names SAMPLE-AES https://k.example/film"),
    ("cenc", mpd_without_key, "names no key for set 0"),
    ("cenc", mpd_without_licence, "does not name https://k.example/licence"),
    ("aes-128", mpd_beside, "DASH has no such encryption"),
    ("cenc", flipped, "audio-1: with the right key, packet"),
]


@pytest.mark.parametrize(("scheme", "fault", "said"), FAULTS, ids=lambda value: getattr(value, "__name__", None))
def test_a_fault_is_named(
    made: Made, sealed: dict[str, Made], scheme: str, fault: Fault, said: str, tmp_path: Path
) -> None:
    found = checked(fault(sealed[scheme], made, tmp_path))
    assert not found.passed
    assert said in found.measured


def test_what_is_not_planned_is_named_too(made: Made, sealed: dict[str, Made]) -> None:
    plain = replace(sealed["cbcs"], plan=made.plan, key=None)
    assert "none is planned" in checked(plain).measured
    files = replace(made, media=sealed["cbcs"].media)
    assert "is encrypted, which is not planned" in checked(files).measured
