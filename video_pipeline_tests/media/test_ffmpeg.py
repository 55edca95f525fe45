from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from video_pipeline.errors import CommandFailed, StalledError
from video_pipeline.media import child, ffmpeg
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe


def test_progress_rises_to_the_end(tools: Tools, tmp_path: Path) -> None:
    told: list[float] = []
    args = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=20", "-c:v", "mpeg4", "out.mp4"]
    ffmpeg.ffmpeg(tools, args, duration=Fraction(20), on_progress=told.append, cwd=tmp_path)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1, abs=0.01)
    assert all(0 <= share <= 1 for share in told)
    assert float(ffprobe.streams(tools, tmp_path / "out.mp4")[0]["duration"]) == 20


def test_progress_stays_within_what_was_promised(tools: Tools, tmp_path: Path) -> None:
    """A source may be longer than its header says."""
    told: list[float] = []
    args = ["-f", "lavfi", "-i", "testsrc2=duration=4", "-f", "null", "-"]
    ffmpeg.ffmpeg(tools, args, duration=Fraction(1), on_progress=told.append, cwd=tmp_path)
    assert max(told) == 1


def test_an_existing_file_is_overwritten(tools: Tools, tmp_path: Path) -> None:
    """A retry finds what the last attempt left, and nobody is there to answer."""
    (tmp_path / "out.mp4").write_text("half a file")
    ffmpeg.ffmpeg(tools, ["-f", "lavfi", "-i", "testsrc2=duration=0.2", "out.mp4"], cwd=tmp_path)
    assert ffprobe.streams(tools, tmp_path / "out.mp4")


def test_a_failure_says_why(tools: Tools, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="No such file") as caught:
        ffmpeg.ffmpeg(tools, ["-i", "missing.mp4", "out.mp4"], cwd=tmp_path)
    assert "missing.mp4" in caught.value.detail


def test_one_that_waits_for_ever_is_stopped(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """-re reads at the speed of playing; this frame is due in an hour, and TERM does not wake it."""
    monkeypatch.setattr(child, "TERM_SECONDS", 0.3)
    args = ["-re", "-f", "lavfi", "-i", "testsrc2=rate=1/3600", "-f", "null", "-"]
    with pytest.raises(StalledError):
        ffmpeg.ffmpeg(tools, args, cwd=tmp_path, stall_seconds=1)


def concat(clip: Path) -> str:
    return f"ffconcat version 1.0\nfile '{clip}'\n"


def playlist(clip: Path) -> str:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://{clip}\n#EXT-X-ENDLIST\n"


def session(clip: Path) -> str:
    return "v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"


@pytest.mark.parametrize("text", [concat, playlist, session])
def test_a_script_named_like_a_video_is_not_followed(
    tools: Tools, clip: Path, tmp_path: Path, text: Callable[[Path], str]
) -> None:
    """An upload could otherwise make us read any file or open a connection."""
    upload = tmp_path / "upload.mp4"
    upload.write_text(text(clip))
    with pytest.raises(CommandFailed):
        ffmpeg.ffmpeg(tools, [*ffmpeg.source(upload), "-f", "null", "-"])


def test_a_video_opens_as_source_whatever_its_name(tools: Tools, clip: Path, tmp_path: Path) -> None:
    for name in ("a b,c.mp4", "-y.mp4", "http:name.mp4", "%03d.mp4", "no ending"):
        path = tmp_path / name
        path.symlink_to(clip)
        ffmpeg.ffmpeg(tools, [*ffmpeg.source(path), "-f", "null", "-"])


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "mov", "ts", "flv", "mpg", "ogv", "webm", "gif", "mxf", "y4m"])
def test_common_containers_are_allowed(tools: Tools, tmp_path: Path, ending: str) -> None:
    codec = {"webm": "libvpx", "ogv": "libtheora", "gif": "gif", "y4m": "wrapped_avframe"}.get(ending, "mpeg4")
    path = tmp_path / f"clip.{ending}"
    codec = "mpeg2video" if ending in ("mpg", "mxf") else "flv" if ending == "flv" else codec
    ffmpeg.ffmpeg(tools, ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=0.2", "-c:v", codec, str(path)])
    ffmpeg.ffmpeg(tools, [*ffmpeg.source(path), "-f", "null", "-"])
