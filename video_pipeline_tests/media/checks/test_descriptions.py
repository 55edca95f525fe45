"""What manifests say of a track, against the plan and the file."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from video_pipeline.media.checks.descriptions import codec_of
from video_pipeline.media.checks.reading import read
from video_pipeline.media.manifests import MASTER, MPD
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.checks.faults import Fault, assert_only
from video_pipeline_tests.media.release import LARGE, SMALL, Made


def instead(path: str, old: str, new: str, measured: str) -> Fault:
    return Fault(lambda made, _: made.with_text(path, lambda text: text.replace(old, new, 1)), path, measured)


FAULTS = {
    "size": instead(MASTER, "640x360", "642x360", rf"RESOLUTION of {LARGE}.m3u8 is \(642, 360\), .* \(640, 360\)"),
    "frame rate": instead(MASTER, "FRAME-RATE=25", "FRAME-RATE=30", "FRAME-RATE of .* is 30.0, .* 25.0"),
    "codec": instead(MASTER, "avc1.64001e,mp4a", "avc1.42001e,mp4a", "avc1.42001e,mp4a.40.2, .* avc1.64001e,mp4a.40.2"),
    "codec of the sound": instead(MASTER, "mp4a.40.2", "mp4a.40.5", "mp4a.40.5, by .*mp4a.40.2"),
    "no codec of the sound": replace(
        instead(MASTER, ",mp4a.40.2", "", "CODECS of .* is avc1.64001e, by .*mp4a"), also=frozenset({"authoring"})
    ),
    "language": instead(MASTER, 'LANGUAGE="und"', 'LANGUAGE="de"', "LANGUAGE of audio-1.m3u8 is de, .* und"),
    "name": instead(MASTER, 'NAME="Audio"', 'NAME="Sound"', "NAME of audio-1.m3u8 is Sound, .* Audio"),
    "tiles": instead(MASTER, "160x90", "160x92", r"RESOLUTION of sprites.m3u8 is \(160, 92\), .* \(160, 90\)"),
    "tiles' codec": instead(MASTER, '"jpeg"', '"png"', "CODECS of sprites.m3u8 is png, .* jpeg"),
    "MPD's language": instead(MPD, 'lang="und"', 'lang="fr"', "lang of audio-1 is fr, .* und"),
    "MPD's codec": instead(MPD, "avc1.640015", "avc1.64001f", f"codecs of {SMALL} is avc1.64001f, .* avc1.640015"),
    "MPD's size": instead(MPD, 'height="240"', 'height="242"', rf"size of {SMALL} is \(426, 242\), .* \(426, 240\)"),
    "MPD's frame rate": instead(MPD, 'frameRate="25"', 'frameRate="50"', f"frameRate of {SMALL} is 50, .* 25"),
    "MPD's channels": instead(MPD, ':2011" value="2"', ':2011" value="6"', "channels of audio-1 is 6, .* 2"),
    "MPD's label": instead(MPD, "<Label>Audio", "<Label>Sound", "Label of audio-1 is Sound, .* Audio"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_false_description_is_found(made: Made, tmp_path: Path, fault: Fault) -> None:
    assert_only("descriptions", fault, made, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('LANGUAGE="fr"', 'LANGUAGE="en"', "LANGUAGE of text-fr.m3u8 is en, .* fr"),
        ("FORCED=NO", "FORCED=YES", "FORCED of text-en.m3u8 is True, .* False"),
    ],
)
def test_subtitles_are_described(worded: Made, old: str, new: str, said: str) -> None:
    failed = worded.with_text(MASTER, lambda text: text.replace(old, new, 1)).failed()
    assert set(failed) == {"descriptions"}
    assert re.search(said, failed["descriptions"].measured)


ENCODERS = {
    "avc1": ("-c:v libx264 -profile:v main -level 3.1", "avc1.4d401f"),
    "hvc1": ("-c:v libx265 -x265-params log-level=none -pix_fmt yuv420p10le -tag:v hvc1", None),
    "vp09": ("-c:v libvpx-vp9 -deadline realtime", None),
    "av01": ("-c:v libsvtav1 -preset 12", None),
}


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_codec_is_called_as_the_packager_calls_it(tools: Tools, tmp_path: Path, kind: str) -> None:
    words, due = ENCODERS[kind]
    clip = tmp_path / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=128x72:rate=25:duration=1"]
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", *source, *words.split(), str(clip)]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    out = tmp_path / "out.mp4"
    fields = f"in={clip},stream=video,output={out}"
    argv = [str(tools.packager), "--quiet", fields, f"--hls_master_playlist_output={tmp_path / 'master.m3u8'}"]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    said = re.search('CODECS="([^"]*)"', (tmp_path / "master.m3u8").read_text())
    assert said
    assert codec_of(read(tools, {"clip": out}, ())[0]) == said[1]
    assert due in (None, said[1])
