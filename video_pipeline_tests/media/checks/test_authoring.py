"""Rules of Apple and DASH-IF, broken one by one in the manifests of a good release."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from video_pipeline.media.checks.authoring import authoring
from video_pipeline.media.checks.reading import read
from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline_tests.media.release import LARGE, SMALL, Made

PLAYLIST, KEYS, SOUND = f"hls/{SMALL}.m3u8", f"hls/{SMALL}-iframes.m3u8", "hls/audio-1.m3u8"
IMAGES = "hls/sprites.m3u8"
Change = Callable[[str], str]


def without(pattern: str) -> Change:
    return lambda text: re.sub(pattern, "", text, count=1)


def instead(old: str, new: str) -> Change:
    return lambda text: text.replace(old, new, 1)


FAULTS: dict[str, tuple[str, Change, str]] = {
    "Apple 1.3": (MASTER, instead("avc1.64001e", "avc1.640040"), "has avc1.640040, a level beyond 52"),
    "Apple 1.10": (MASTER, instead("avc1.64001e", "avc3.64001e"), "is avc3, whose parameters are in the samples"),
    "Apple 1.12": (MASTER, lambda t: t.replace("avc1.", "hvc1."), "there is no H.264 variant"),
    "Apple 1.24": (
        MASTER,
        lambda t: t.replace("VIDEO-RANGE=SDR", "VIDEO-RANGE=PQ"),
        "there is no SDR variant, only PQ",
    ),
    "Apple 1.33": (MASTER, instead("RESOLUTION=426x240", "RESOLUTION=320x240"), "is 320x240, of another shape"),
    "Apple 2.3": (MASTER, instead('CHANNELS="2"', 'CHANNELS="6"'), "there is no stereo sound"),
    "Apple 6.1": (MASTER, lambda t: re.sub("#EXT-X-I-FRAME.*\n", "", t), "there is no EXT-X-I-FRAME-STREAM-INF"),
    "Apple 6.8": (KEYS, without("#EXT-X-I-FRAMES-ONLY\n"), "EXT-X-I-FRAMES-ONLY and its place"),
    "Apple 6.16": (
        MASTER,
        lambda t: re.sub("(I-FRAME.*)RANGE=SDR", r"\1RANGE=PQ", t),
        "there are no SDR key frames",
    ),
    "Apple 8.2": (SOUND, instead("TARGETDURATION:5", "TARGETDURATION:6"), f"6 s in {SOUND}, 5 s in hls/{SMALL}"),
    "Apple 8.6": (PLAYLIST, without("#EXT-X-PLAYLIST-TYPE:VOD\n"), "its type is not VOD"),
    "Apple 8.10": (MASTER, without(',LANGUAGE="und"'), "AUDIO 'Audio' has no LANGUAGE"),
    "Apple 8.20": (PLAYLIST, without("#EXT-X-MAP.*\n"), "there is no EXT-X-MAP"),
    "Apple 9.1": (MASTER, without(',CODECS="[^"]*"'), "has no CODECS"),
    "Apple 9.2": (MASTER, without(",RESOLUTION=426x240"), f"{SMALL}.m3u8 has no RESOLUTION"),
    "Apple 9.3": (MASTER, without('(?<=RESOLUTION=640x360),CODECS="avc1.64001e"(?=,VIDEO)'), "iframes.m3u8 has no COD"),
    "Apple 9.4": (MASTER, without(",RESOLUTION=640x360(?=,CODECS=[^,]*,VIDEO)"), f"{LARGE}-iframes.m3u8 has no RES"),
    "Apple 9.11": (MASTER, without("#EXT-X-INDEPENDENT-SEGMENTS\n"), "there is no EXT-X-INDEPENDENT-SEGMENTS"),
    "Apple 9.14": (MASTER, without(r"AVERAGE-BANDWIDTH=\d+,"), f"{LARGE}.m3u8 has no AVERAGE-BANDWIDTH"),
    "Apple 9.15": (MASTER, without(r"FRAME-RATE=[\d.]+,"), f"{LARGE}.m3u8 has no FRAME-RATE"),
    "RFC 8216, 4.3.1.1": (PLAYLIST, instead("#EXTM3U\n", "\n#EXTM3U\n"), "the first line is not #EXTM3U"),
    "RFC 8216, 4.3.1.2": (PLAYLIST, instead("#EXT-X-VERSION:6", "#EXT-X-VERSION:6\n#EXT-X-VERSION:6"), "more than one"),
    "RFC 8216, 4.3.4.1": (MASTER, instead("AUTOSELECT=YES", "AUTOSELECT=NO"), "default and has not AUTOSELECT=YES"),
    "RFC 8216, 7": (PLAYLIST, instead("VERSION:6", "VERSION:4"), "EXT-X-MAP needs a higher version than 4"),
    "23009-1, 8.3.2": (MPD, instead('type="static"', 'type="dynamic"'), "its type is dynamic"),
    "IOP 3.10.3": (MPD, instead("isoff-on-demand", "isoff-live"), "does not name the on-demand profile"),
    "IOP 3.2.7.4": (MPD, instead('minBufferTime="PT2S"', 'minBufferTime="P1M"'), "@minBufferTime is P1M"),
    "23009-1, 5.3.1.2": (MPD, without(' minBufferTime="PT2S"'), "there is no @minBufferTime"),
    "IOP 3.2.2": (MPD, instead('type="static"', 'type="static" timeShiftBufferDepth="PT9S"'), "timeShiftBufferDepth"),
    "23009-1, 5.3.3.2": (MPD, instead('id="1"', 'id="0"'), "2 of AdaptationSet have the id 0"),
    "IOP 3.2.4": (MPD, without(' par="16:9"'), "video set 0 has no @par"),
    "23009-1, 5.3.7.2": (MPD, instead('maxWidth="640"', 'maxWidth="426"'), "@maxWidth=426, its largest has 640"),
    "23009-1, 5.8.5.5": (MPD, instead('value="main"', 'value="hero"'), "the role 'hero', which that scheme"),
    "23009-1, 5.3.9.2": (
        MPD,
        instead('timescale="48000"', 'timescale="44100"'),
        "has the timescale 44100, its file 48000",
    ),
}
MORE: list[tuple[str, Change, str]] = [
    (MPD, without(' subsegmentAlignment="true"'), "IOP 3.10.3: video set 0 has not subsegmentAlignment=true"),
    (MPD, without(' subsegmentStartsWithSAP="1"'), "IOP 3.10.3: video set 0 has subsegmentStartsWithSAP=None"),
    (MPD, without(r' frameRate="25"'), "IOP 3.2.4: video set 0 has no @frameRate"),
    (MPD, without(r' sar="1:1"'), f"IOP 3.2.4: {SMALL} has no @sar"),
    (MPD, without(r' lang="und"'), "IOP 3.2.4: audio set 1 has no @lang"),
    (MPD, without(r"<AudioChannelConfiguration[^>]*>"), "IOP 3.2.4: audio-1 has no AudioChannelConfiguration"),
    (IMAGES, without("#EXT-X-IMAGES-ONLY\n"), "Image Media Playlist: there is no EXT-X-IMAGES-ONLY"),
    (IMAGES, without("#EXT-X-TILES.*\n"), "Image Media Playlist: there is no EXT-X-TILES before a sheet"),
    (IMAGES, instead("LAYOUT=3x2", "LAYOUT=6x1"), "Shaka Player: takes all sheets for those of the first EXT-X-TILES"),
    (MASTER, without(',CODECS="jpeg"'), "Image Media Playlist: sprites.m3u8 has no CODECS"),
    (MPD, without(' profiles="[^"]*full:2011"(?=>)'), "23009-1, 8.1: image set 2 has the profiles of the MPD"),
    (MPD, instead("image/jpeg", "image/avif"), "IOP 6.2.6: image set 2 has the mimeType image/avif"),
    (MPD, instead("guidelines/thumbnail_tile", "tiles"), "IOP 6.2.6: image set 2 does not say how many tiles"),
    (MPD, instead("$Number%03d$", "000"), "IOP 6.2.6: image set 2 has no SegmentTemplate with"),
    (MPD, without(r' mimeType="video/mp4"'), f"23009-1, 5.3.7.2: {SMALL} has no @mimeType"),
]


@pytest.mark.parametrize(
    ("path", "change", "said"),
    [
        *(pytest.param(path, change, f"{rule}.*: .*{said}", id=rule) for rule, (path, change, said) in FAULTS.items()),
        *(pytest.param(path, change, said, id=said) for path, change, said in MORE),
    ],
)
def test_a_broken_rule_is_named(made: Made, path: str, change: Change, said: str) -> None:
    failed = made.with_text(path, change).failed()
    assert re.search(said, failed["authoring"].measured), failed["authoring"].measured


def test_a_file_that_is_no_dash_segment(made: Made, tmp_path: Path) -> None:
    failed = made.with_media(SMALL, tmp_path, lambda content: content.replace(b"dash", b"msdh", 1)).failed()
    assert f"23009-1, 6.3.5.2: {SMALL} has not the brand dash" in failed["authoring"].measured


def test_what_a_source_decides_is_told(made: Made) -> None:
    plan = made.plan.model_copy(update={"rungs": made.plan.rungs[:1]})
    checks = {check.name: check for check in Made(**{**vars(made), "plan": plan}).inspect().checks}
    assert checks["authoring"].passed
    assert "there is only one variant (Apple 9.9)" in checks["authoring"].measured


def test_a_preset_without_h264_is_no_breach(made: Made) -> None:
    plan = made.plan.model_copy(
        update={
            "encoders": tuple(encoder.model_copy(update={"family": "hevc"}) for encoder in made.plan.encoders),
            "rungs": tuple(rung.model_copy(update={"family": "hevc"}) for rung in made.plan.rungs),
        }
    )
    told = made.with_text(MASTER, lambda text: re.sub(r"avc1\.\w+", "hvc1.1.6.L90.90", text))
    result = authoring(plan, told.streams, read(made.tools, made.media, {sound.name for sound in plan.audio}))
    assert result.passed, result.measured
    assert "there is no H.264 variant (Apple 1.12)" in result.measured
