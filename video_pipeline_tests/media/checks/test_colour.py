"""Colours that are not what they are said to be, planted in real renditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline_tests.media.checks.faults import Fault, assert_only
from video_pipeline_tests.media.release import LARGE, SMALL, Made, run_ffmpeg

Change = Callable[[Made, Path], Made]
BT709 = ["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]


def recoloured(filters: str, **tags: str) -> Change:
    """The small rendition with its pixels through `filters`, on the grid, and with these tags."""

    def plant(made: Made, directory: Path) -> Made:
        out = directory / "recoloured.mp4"
        encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0"]
        words = list(BT709)
        for name, value in tags.items():
            words[words.index(f"-{name}") + 1] = value
        clock = ["-fps_mode", "passthrough", "-video_track_timescale", "10000"]
        said = "setparams=range={}:colorspace={}:color_primaries={}:color_trc={}".format(*words[1::2])
        graph = f"{filters},{said}"
        run_ffmpeg(made.tools, "-i", made.encoded[SMALL], "-vf", graph, *encoder, *words, *clock, out)
        return made.repackaged({SMALL: out}, directory)

    return plant


def said(path: str, old: str, new: str) -> Change:
    return lambda made, _: made.with_text(path, lambda text: text.replace(old, new, 1))


FAULTS = {
    "tagged BT.601": Fault(recoloured("null", colorspace="smpte170m"), SMALL, "says tv, smpte170m, bt709, bt709"),
    "tagged full range": Fault(recoloured("null", color_range="pc"), SMALL, "says pc, bt709"),
    "tagged BT.2020": Fault(recoloured("null", color_primaries="bt2020"), SMALL, "bt2020, bt709; planned limited"),
    # The packager puts it into a set of its own.
    "tagged PQ": Fault(
        recoloured("null", color_trc="smpte2084"), SMALL, "bt709, smpte2084; planned", frozenset({"authoring"})
    ),
    "pixels of BT.601": Fault(
        recoloured("scale=in_color_matrix=bt709:out_color_matrix=bt601"), SMALL, "they have the matrix of BT.601"
    ),
    "pixels of full range": Fault(recoloured("scale=in_range=tv:out_range=pc"), SMALL, "they have full range"),
    "pixels narrowed twice": Fault(recoloured("scale=in_range=pc:out_range=tv"), SMALL, "have a range narrowed twice"),
    "pixels of something else": Fault(recoloured("hue=h=90"), SMALL, r"are \d+\.\d of 255 away"),
    "VIDEO-RANGE": Fault(
        said(MASTER, "VIDEO-RANGE=SDR", "VIDEO-RANGE=PQ"), MASTER, f"of {LARGE}.m3u8 is PQ, its colours are SDR"
    ),
    "no VIDEO-RANGE": Fault(said(MASTER, ",VIDEO-RANGE=SDR", ""), MASTER, f"of {LARGE}.m3u8 is None"),
    "MPD": Fault(
        said(MPD, 'TransferCharacteristics" value="1"', 'TransferCharacteristics" value="16"'),
        MPD,
        "the transfer of .* is 16, its colours are 1",
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_wrong_colours_are_found(made: Made, tmp_path: Path, fault: Fault) -> None:
    # Sprites, thumbnails and the other rendition are compared with the small one.
    also = fault.also | {"picture_times", "same_pictures"}
    assert_only("colour", replace(fault, also=also), made, tmp_path)


def test_the_colr_box_is_read(made: Made, tmp_path: Path) -> None:
    """Browsers go by it before they see the bit stream."""
    failed = made.with_media(SMALL, tmp_path, lambda b: b.replace(b"colrnclx\0\1", b"colrnclx\0\x09")).failed()
    assert failed["colour"].subject == SMALL
    assert "its colr box says (9, 1, 1, False), planned (1, 1, 1, False)" in failed["colour"].measured
