"""The MP4 for download, looked at with ffprobe and decoded: the same pictures and sound as the encoded tracks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from video_pipeline import presets
from video_pipeline.media import audio, download, probe
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests import ffprobe
from video_pipeline_tests.media import encoding
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.test_audio import heard, samples


def make(tools: Tools, clip: Path, directory: Path) -> Path:
    preset = presets.load("draft").model_copy(update={"download": 240})
    plan = make_plan(probe.probe(tools, clip), "0" * 64, preset)
    [rung] = [rung for rung in plan.rungs if rung.name == plan.download]
    encoding.encode(tools, clip, plan, [rung], directory)
    audio.encode(tools, clip, plan, plan.audio, directory)
    sound = directory / "audio-1.mp4" if plan.audio else None
    download.make(tools, plan, directory / f"{rung.name}.mp4", sound, directory)
    return directory / download.FILE


@pytest.mark.parametrize(
    ("height", "rung"), [(240, "h264-240p"), (400, "h264-360p"), (2160, "h264-360p"), (100, "h264-240p"), (None, None)]
)
def test_the_largest_rung_not_above(
    tools: Tools, make_clip: Callable[..., Path], height: int | None, rung: str | None
) -> None:
    source = probe.probe(tools, make_clip(size="640x360"))
    preset = presets.load("draft").model_copy(update={"download": height})
    assert make_plan(source, "0" * 64, preset).download == rung


def test_picture_and_sound_stay_together(tools: Tools, tmp_path: Path) -> None:
    """A white flash and a beep, both from 1 to 1.5 s of 3 s; a sound track in French."""
    flash = "color=black:size=320x240:rate=25:duration=3,drawbox=color=white:t=fill:enable='gte(t,1)*lt(t,1.5)'"
    beep = "sine=frequency=1000:sample_rate=48000:duration=3,volume='between(t,1,1.5)':eval=frame"
    clip = tmp_path / "flash.mp4"
    inputs = ["-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", beep]
    run_ffmpeg(tools, *inputs, "-c:a", "aac", "-metadata:s:a:0", "language=fra", "-metadata", "title=No", clip)
    made = make(tools, clip, tmp_path)
    argv = [str(tools.ffmpeg), "-v", "error", "-i", str(made), "-vf", "scale=4:4,format=gray", "-f", "rawvideo", "-"]
    pictures = np.frombuffer(subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout, np.uint8)
    white = np.flatnonzero(pictures.reshape(75, 16).mean(axis=1) > 128)
    assert list(white) == list(range(25, 38))
    assert heard(samples(tools, made)) == pytest.approx((1, 1.5), abs=0.03)
    video, sound = ffprobe.streams(tools, made)
    assert (video["codec_name"], video["width"], video["height"], video["nb_frames"]) == ("h264", 320, 240, "75")
    assert (sound["codec_name"], sound["channels"], sound["tags"]["language"]) == ("aac", 2, "fra")
    assert float(sound["start_time"]) == float(video["start_time"]) == 0
    assert float(sound["duration"]) == pytest.approx(float(video["duration"]), abs=0.001)
    assert "title" not in ffprobe.show(tools, made, "-show_format")["format"]["tags"]
    data = made.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_the_streams_are_those_that_were_encoded(tools: Tools, clip: Path, tmp_path: Path) -> None:
    def hashes(path: Path, stream: str) -> list[str]:
        argv = [str(tools.ffmpeg), "-v", "error", "-i", str(path), "-map", f"0:{stream}", "-f", "framemd5", "-"]
        done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
        return [line.split(",")[-1] for line in done.stdout.splitlines() if not line.startswith("#")]

    made = make(tools, clip, tmp_path)
    [rung] = tmp_path.glob("h264-*.mp4")
    assert hashes(made, "v:0") == hashes(rung, "v:0")
    assert hashes(made, "a:0") == hashes(tmp_path / "audio-1.mp4", "a:0")
    again = tmp_path / "again"
    again.mkdir()
    assert make(tools, clip, again).read_bytes() == made.read_bytes()


def test_without_sound(tools: Tools, make_clip: Callable[..., Path], tmp_path: Path) -> None:
    made = make(tools, make_clip(seconds=2, audio=False, cuts=False), tmp_path)
    assert [stream["codec_type"] for stream in ffprobe.streams(tools, made)] == ["video"]
