from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline.errors import SourceError
from video_pipeline.media import probe
from video_pipeline.media.tools import Tools


def test_made_clip(tools: Tools, clip: Path) -> None:
    found = probe.probe(tools, clip)
    assert (found.video.codec, found.video.display_size, found.video.rotation) == ("h264", (320, 180), 0)
    assert (found.timing.frames, found.timing.variable) == (100, False)
    assert found.duration == 4
    assert [(a.codec, a.channels) for a in found.audio] == [("aac", 1)]


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "size", "rotation", "frames"),
    [
        ("awkward/rot180_vfr_phone_720p.mp4", (1280, 720), 180, 25),
        ("awkward/rot90_bbb_1080p_5.1_2s.mp4", (1080, 1920), 90, None),
        ("awkward/rot270_568x320_3frames.mov", (320, 568), 270, 3),
        ("awkward/sar2-3_640x360.mp4", (640, 540), 0, None),
        ("natural/changi_4k_portrait_hevc_9s.mp4", (2160, 3840), None, None),
    ],
)
def test_display_size_is_what_a_player_shows(
    tools: Tools, media: Path, name: str, size: tuple[int, int], rotation: int | None, frames: int | None
) -> None:
    found = probe.probe(tools, media / name)
    assert found.video.display_size == size
    assert rotation is None or found.video.rotation == rotation
    assert frames is None or found.timing.frames == frames


@pytest.mark.media
def test_variable_rate_is_seen(tools: Tools, media: Path) -> None:
    assert probe.probe(tools, media / "awkward/rot180_vfr_phone_720p.mp4").timing.variable
    assert not probe.probe(tools, media / "natural/sintel_trailer_720p24_52s.mp4").timing.variable


@pytest.mark.media
def test_cover_art_is_not_the_video(tools: Tools, media: Path) -> None:
    found = probe.probe(tools, media / "awkward/coverart_png_in_mp4.mp4")
    assert found.video.codec == "h264"
    assert [other.kind for other in found.others] == ["video"]


def _cut(clip: Path, tmp_path: Path) -> Path:
    """Without its index, which this muxer writes last."""
    path = tmp_path / "cut.mp4"
    path.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    return path


def _text(tmp_path: Path) -> Path:
    path = tmp_path / "text.mp4"
    path.write_text("this is no video\n" * 100)
    return path


def _sound(tools: Tools, tmp_path: Path) -> Path:
    path = tmp_path / "sound.m4a"
    argv = [str(tools.ffmpeg), "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=60)
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda tools, clip, tmp: _cut(clip, tmp), "index .moov atom. is missing", id="truncated"),
        pytest.param(lambda tools, clip, tmp: _text(tmp), "it is a text, not a video", id="text"),
        pytest.param(lambda tools, clip, tmp: _sound(tools, tmp), "no video in it .it holds audio", id="audio only"),
    ],
)
def test_bad_input_is_named(
    tools: Tools, clip: Path, tmp_path: Path, make: Callable[[Tools, Path, Path], Path], words: str
) -> None:
    path = make(tools, clip, tmp_path)
    with pytest.raises(SourceError, match=words) as caught:
        probe.probe(tools, path, name="holiday.mp4")
    assert str(caught.value).startswith("holiday.mp4: ")
    assert "\n" not in str(caught.value)


def test_a_playlist_reads_no_other_file(tools: Tools, clip: Path, tmp_path: Path) -> None:
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"ffconcat version 1.0\nfile {clip}\n")
    with pytest.raises(SourceError):
        probe.probe(tools, playlist)


def test_late_start_is_counted_from_the_container(tools: Tools, clip: Path, tmp_path: Path) -> None:
    late = tmp_path / "late.mkv"
    argv = [str(tools.ffmpeg), "-v", "error", "-itsoffset", "1", "-i", str(clip), "-i", str(clip)]
    argv += ["-map", "0:v", "-map", "1:a", "-c", "copy", str(late)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=60)
    assert abs(probe.probe(tools, late).timing.first - 1) < Fraction(3, 100)


def test_a_codec_that_ffprobe_cannot_decode(tools: Tools, tmp_path: Path) -> None:
    """This build of ffprobe has no PNG decoder; ffmpeg has."""
    path = tmp_path / "pictures.mov"
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=1"]
    subprocess.run([*argv, "-c:v", "png", "-pix_fmt", "rgba", str(path)], check=True, timeout=60)
    found = probe.probe(tools, path)
    assert (found.video.codec, found.video.pix_fmt, found.timing.frames) == ("png", "rgba", 5)
