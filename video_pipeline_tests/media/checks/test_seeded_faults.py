"""The list of what may be wrong with a finished release: each fault is planted in a good one, and is found by the check
named here, in words that name it. Those that another module plants are listed with the rest and run there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from video_pipeline.media import quality
from video_pipeline.media.files import blob_of
from video_pipeline.media.manifests import MASTER
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import release
from video_pipeline_tests.media.checks import (
    test_authoring,
    test_bandwidth,
    test_brought,
    test_colour,
    test_descriptions,
    test_pictures,
    test_references,
    test_tiles,
    test_tracks,
)
from video_pipeline_tests.media.checks.faults import Fault, assert_only
from video_pipeline_tests.media.checks.test_tracks import FRAME, encoded_anew
from video_pipeline_tests.media.release import LARGE, SMALL, Made
from video_pipeline_tests.media.text import clips

Plant = Callable[[Made, Path], Made]
SHEETS, POSTER, CANDIDATE = ("sheet-000.jpg", "sheet-002.jpg"), "poster.jpg", "01.jpg"


@pytest.fixture(scope="module")
def spoken(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """6 s with a cut, a sound in English and one in German, and English subtitles."""
    directory = tmp_path_factory.mktemp("spoken")
    words = directory / "words.srt"
    words.write_text(clips.SRT)
    pictures = ["testsrc2=size=640x360:rate=25:duration=3", "mandelbrot=size=640x360:rate=25,trim=duration=3"]
    graph = ";".join(f"{source},format=yuv420p,setsar=1[v{n}]" for n, source in enumerate(pictures))
    # Both change all the time, as speech does; what is steady sounds the same a moment later.
    sounds = ["anoisesrc=color=pink:seed=1:duration=6,tremolo=f=3", "aevalsrc=sin(600*t*t):duration=6"]
    inputs = [word for sound in sounds for word in ("-f", "lavfi", "-i", sound)]
    maps = ["-map", "[v]", "-map", "0:a", "-map", "1:a", "-map", "2:s", "-c:v", "libx264", "-preset", "ultrafast"]
    tags = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger", "-metadata:s:s:0", "language=eng"]
    graph += ";[v0][v1]concat=n=2[v]"
    out = directory / "spoken.mkv"
    release.run_ffmpeg(tools, *inputs, "-i", words, "-filter_complex", graph, *maps, *tags, "-c:a", "flac", out)
    made = release.make(tools, out, directory)
    assert made.failed() == {}
    return made


def flipped(made: Made, directory: Path) -> Made:
    """The last bit of the largest rendition's last picture."""
    packets = ffprobe.show(made.tools, made.media[LARGE], "-show_packets")["packets"]
    last = max(int(packet["pos"]) + int(packet["size"]) - 1 for packet in packets)
    return made.with_media(LARGE, directory, lambda b: b[:last] + bytes([b[last] ^ 1]) + b[last + 1 :])


def swapped_files(one: str, other: str) -> Plant:
    return lambda made, _: replace(made, images={**made.images, one: made.images[other], other: made.images[one]})


def swapped_sheets(made: Made, directory: Path) -> Made:
    """Each in the other's place from the beginning: every size and every digest is right."""
    sheets = list(made.sprites.sheets)
    sheets[0], sheets[1] = sheets[1], sheets[0]
    names = ("sheet-000.jpg", "sheet-001.jpg")
    swapped = swapped_files(*names)(made, directory)
    return replace(swapped, sprites=made.sprites.model_copy(update={"sheets": tuple(sheets)}))


def black_tile(made: Made, directory: Path) -> Made:
    """The last one; the sheet is listed as it is."""
    with Image.open(made.images[SHEETS[1]]) as sheet:
        sheet.paste((0, 0, 0), (320, 0, 480, 90))
        sheet.save(directory / SHEETS[1], "JPEG", quality=made.sprites.quality, optimize=True, progressive=True)
    sheets = (*made.sprites.sheets[:-1], blob_of(directory / SHEETS[1]))
    painted = made.sprites.model_copy(update={"sheets": sheets})
    return replace(made, sprites=painted, images={**made.images, SHEETS[1]: directory / SHEETS[1]})


def another_poster(change: Callable[[Image.Image], Image.Image]) -> Plant:
    """Of the right size and listed as it is, but of something else."""

    def plant(made: Made, directory: Path) -> Made:
        with Image.open(made.images[POSTER]) as picture:
            change(picture).save(directory / POSTER, "JPEG")
        poster = made.thumbnails.poster.model_copy(update={"file": blob_of(directory / POSTER)})
        thumbnails = made.thumbnails.model_copy(update={"poster": poster})
        return replace(made, thumbnails=thumbnails, images={**made.images, POSTER: directory / POSTER})

    return plant


def shifted_cues(made: Made, _: Path) -> Made:
    """Every time shows the tile after its own."""
    head, *cues = made.sprites.vtt.rstrip("\n").split("\n\n")
    times, places = zip(*(cue.split("\n") for cue in cues), strict=True)
    moved = [f"{time}\n{place}" for time, place in zip(times, (*places[1:], places[0]), strict=True)]
    return made.with_vtt(lambda _: "\n\n".join([head, *moved]) + "\n")


def delayed(milliseconds: float) -> Plant:
    """The first sound, as long as before."""

    def plant(made: Made, directory: Path) -> Made:
        out = directory / "late.mp4"
        late = f"adelay={milliseconds}:all=1,atrim=end=6"
        release.run_ffmpeg(made.tools, "-i", made.encoded["audio-1"], "-af", late, "-c:a", "aac", "-b:a", "128k", out)
        return made.repackaged({"audio-1": out}, directory)

    return plant


def hushed(made: Made, directory: Path) -> Made:
    out = directory / "hushed.mp4"
    release.run_ffmpeg(made.tools, "-i", made.encoded["audio-2"], "-af", "volume=0", "-c:a", "aac", out)
    return made.repackaged({"audio-2": out}, directory)


def swapped_sounds(made: Made, directory: Path) -> Made:
    swapped = {"audio-1": made.encoded["audio-2"], "audio-2": made.encoded["audio-1"]}
    return made.repackaged(swapped, directory)


def without_words(made: Made, _: Path) -> Made:
    """Its playlists stay."""
    return replace(made, texts=made.texts.model_copy(update={"tracks": ()}))


def shortened_index(made: Made, directory: Path) -> Made:
    """One entry less is counted than there are."""

    def change(content: bytes) -> bytes:
        place = content.index(b"sidx") + 4 + 4 + 8 + (8 if content[content.index(b"sidx") + 4] == 0 else 16) + 2
        count = int.from_bytes(content[place : place + 2], "big")
        return content[:place] + (count - 1).to_bytes(2, "big") + content[place + 2 :]

    return made.with_media(SMALL, directory, change)


def said(path: str, old: str, new: str) -> Plant:
    return lambda made, _: made.with_text(path, lambda text: text.replace(old, new, 1))


ORDER = "split=3[a][b][c];[a]trim=end_frame=50[x];[b]trim=start_frame=100,setpts=PTS-STARTPTS[y];"
ORDER += f"[c]trim=start_frame=50:end_frame=100,setpts=PTS-STARTPTS[z];[x][y][z]concat=n=3,settb=1/10000,{FRAME}"
HERE: dict[str, tuple[str, Fault]] = {
    "a flipped bit that still decodes": (
        "digests",
        Fault(flipped, LARGE, "its bytes have changed", frozenset({"decodes"})),
    ),
    "two sheets in each other's place": (
        "picture_times",
        Fault(swapped_sheets, SHEETS[0], r"the tile at 0\.000 s does not show frame 0"),
    ),
    "two sheets exchanged later": (
        "digests",
        Fault(swapped_files(*SHEETS), SHEETS[0], "is sheet-002.jpg", frozenset({"picture_times", "sprite_tiles"})),
    ),
    "two thumbnails exchanged": (
        "digests",
        Fault(swapped_files(POSTER, CANDIDATE), POSTER, "is 01.jpg", frozenset({"picture_times"})),
    ),
    "a poster of something else": (
        "picture_times",
        Fault(another_poster(ImageOps.invert), POSTER, r"does not show frame \d+, but what is \d+ of 255 away"),
    ),
    "a black poster": (
        "picture_times",
        Fault(another_poster(lambda picture: picture.point(lambda _: 0)), POSTER, r"does not show frame \d+"),
    ),
    "sprites a tile too late": (
        "picture_times",
        Fault(shifted_cues, SHEETS[0], r"tile at 0\.000 s does not show", frozenset({"sprite_tiles"})),
    ),
    "a black last tile": (
        "picture_times",
        Fault(black_tile, SHEETS[1], r"the tile at 5\.600 s does not show frame 140"),
    ),
    "sound 40 ms late": ("sound_times", Fault(delayed(40), "audio-1", "is 40 ms too late")),
    "sound a frame of AAC late": ("sound_times", Fault(delayed(21.333), "audio-1", "is 21 ms too late")),
    "sound that is silent": ("sound_times", Fault(hushed, "audio-2", "is silent, the source is not")),
    "two sounds exchanged": ("sound_times", Fault(swapped_sounds, "audio-1", "does not sound like the source")),
    "a missing subtitle file": (
        "subtitles",
        Fault(without_words, "subtitles", "of en, 1 are not accounted for", frozenset({"references"})),
    ),
    "a shortened index": (
        "key_frames",
        Fault(shortened_index, SMALL, "1 segments in its index, 2 planned", frozenset({"references", "bandwidth"})),
    ),
    "a rendition that stands still": (
        "same_pictures",
        Fault(
            encoded_anew(f"{FRAME},loop=-1:1:0,trim=end_frame=150,setpts=N*400", "0,2,4"),
            SMALL,
            f"key frames are other pictures than in {LARGE}",
            frozenset({"picture_times", "colour"}),
        ),
    ),
    "two GOPs in each other's place": (
        "same_pictures",
        Fault(
            encoded_anew(ORDER, "0,2,4"),
            SMALL,
            f"from 2.000 s on, 2 of 3 key frames are other pictures than in {LARGE}",
            frozenset({"picture_times", "colour"}),
        ),
    ),
    "the other language": (
        "descriptions",
        Fault(said(MASTER, 'LANGUAGE="de"', 'LANGUAGE="fr"'), MASTER, "LANGUAGE of audio-2.m3u8 is fr, .* de"),
    ),
    "another rendition's playlist": (
        "references",
        Fault(
            said(MASTER, f"\n{SMALL}.m3u8", f"\n{LARGE}.m3u8"),
            MASTER,
            f"does not name {SMALL}.m3u8",
            frozenset({"bandwidth", "descriptions"}),
        ),
    ),
}


def _tracks(name: str) -> tuple[str, Fault]:
    return next((check, fault) for check, said, fault in test_tracks.FAULTS if said == name)


def _authoring(rule: str) -> tuple[str, Fault]:
    path, change, measured = test_authoring.FAULTS[rule]
    return "authoring", Fault(lambda made, _: made.with_text(path, change), path, measured)


ELSEWHERE: Mapping[str, tuple[str, Fault]] = {
    "a damaged picture": _tracks("damaged pictures"),
    "a rung one frame short": _tracks("dropped frame"),
    "half a frame too long": _tracks("half a frame too long"),
    "a key frame off the grid": _tracks("key frame late"),
    "a key frame missing": _tracks("key frame missing"),
    "a sound left out": _tracks("sound left out"),
    "a wrong BANDWIDTH": ("bandwidth", test_bandwidth.FAULTS["variant, 30 % too high"]),
    "another track's file": ("references", test_references.FAULTS["another track's file"]),
    "a byte range that starts late": ("references", test_references.FAULTS["range starts late"]),
    "an index elsewhere in the MPD": ("references", test_references.FAULTS["MPD index"]),
    "two files exchanged in the MPD": ("references", test_references.FAULTS["MPD swaps two files"]),
    "colours tagged BT.601": ("colour", test_colour.FAULTS["tagged BT.601"]),
    "pixels of full range": ("colour", test_colour.FAULTS["pixels of full range"]),
    "a wrong VIDEO-RANGE": ("colour", test_colour.FAULTS["VIDEO-RANGE"]),
    "a wrong codec": ("descriptions", test_descriptions.FAULTS["codec"]),
    "no I-frame playlist": _authoring("Apple 6.1"),
    "target durations that differ": _authoring("Apple 8.2"),
    "a missing tile": ("sprite_tiles", test_tiles.SPRITE_FAULTS["a column of tiles is missing"]),
    "two sheets exchanged in HLS": ("sprite_tiles", test_tiles.SPRITE_FAULTS["two sheets exchanged in HLS"]),
    "the last tile missing in WebVTT": ("sprite_tiles", test_tiles.SPRITE_FAULTS["a tile has no cue"]),
    "the last tile missing in HLS": ("sprite_tiles", test_tiles.SPRITE_FAULTS["the last tile is missing in HLS"]),
    "the last tile missing in DASH": ("sprite_tiles", test_tiles.SPRITE_FAULTS["the last tile is missing in DASH"]),
    "wrong coordinates": ("sprite_tiles", test_tiles.SPRITE_FAULTS["a cue outside"]),
    "wrong times in HLS": ("sprite_tiles", test_tiles.SPRITE_FAULTS["shorter tiles in HLS"]),
    "wrong times in DASH": ("sprite_tiles", test_tiles.SPRITE_FAULTS["longer sheets in DASH"]),
    "a wrong layout in DASH": ("sprite_tiles", test_tiles.SPRITE_FAULTS["another layout in DASH"]),
    "a wrong size of tiles": ("descriptions", test_descriptions.FAULTS["tiles"]),
    "a sheet left out": ("references", test_tiles.REFERENCES["a sheet left out of HLS"]),
    "a poster of another size": ("not_empty", test_pictures.EMPTY_FAULTS["poster of another size"]),
    "a poster other than was brought": ("picture_times", test_brought.FAULT),
    "an empty poster": ("not_empty", test_pictures.EMPTY_FAULTS["poster is empty"]),
}
"""Planted by the modules of these tables."""


@pytest.mark.parametrize(("check", "fault"), HERE.values(), ids=HERE)
def test_a_seeded_fault_is_found(spoken: Made, tmp_path: Path, check: str, fault: Fault) -> None:
    assert_only(check, fault, spoken, tmp_path)


def test_the_list_is_long_and_leaves_no_check_out() -> None:
    everything = {**HERE, **ELSEWHERE}
    assert len(everything) == len(HERE) + len(ELSEWHERE) >= 20
    # The source's own faults, and what is not in every release, have modules of their own.
    apart = {"frame_times", "damage", "vmaf_floor", "protection", "download", "preview"}
    assert {check for check, _ in everything.values()} == set(quality.CHECKS) - apart
