"""A flash and a click of one moment are published at one moment, however the source numbers its time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from video_pipeline import presets
from video_pipeline.media import audio, probe
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import encoding
from video_pipeline_tests.media.release import run_ffmpeg

RATE = 48_000
WHITE = "between(t,1.99,2.03)+between(t,3.99,4.03)"
CLICK = "between(t,2,2.04)+between(t,4,4.04)"
START = {"late sound": (0.0, 0.73), "late pictures": (0.73, 0.0)}


def decode(tools: Tools, path: Path, *args: str) -> bytes:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), *args, "-"]
    return subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout


def moments(tools: Tools, source: Path, directory: Path) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """When the published pictures flash and the published sound clicks, s."""
    plan = make_plan(probe.probe(tools, source), "0" * 64, presets.load("draft"))
    encoding.encode(tools, source, plan, plan.rungs[-1:], directory)
    audio.encode(tools, source, plan, plan.audio, directory)
    gray = ["-vf", "scale=1:1:flags=area,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo"]
    light = np.frombuffer(decode(tools, directory / f"{plan.rungs[-1].name}.mp4", *gray), np.uint8) > 128
    wave = np.frombuffer(decode(tools, directory / "audio-1.mp4", "-ac", "1", "-ar", str(RATE), "-f", "f32le"), "f4")
    # In steps of 5 ms.
    loud = np.abs(wave[: len(wave) // 240 * 240]).reshape(-1, 240).max(axis=1) > 0.1
    return begins(light) / float(plan.rate), begins(loud) * 0.005


def begins(on: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.flatnonzero(np.diff(on.astype(int), prepend=0) == 1)


def make(tools: Tools, path: Path, pictures_from: float, sound_from: float, *more: str) -> None:
    flash = f"color=black:s=64x64:r=25:d=5,drawbox=c=white:t=fill:enable='{WHITE}',trim=start={pictures_from}"
    click = f"aevalsrc='({CLICK})*sin(2*PI*1000*t)*0.5':s={RATE}:d=5,atrim=start={sound_from}"
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "5", "-c:a", "aac"]
    run_ffmpeg(tools, "-copyts", "-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", click, *codecs, *more, path)


@pytest.mark.parametrize("start", START)
@pytest.mark.parametrize("ending", ["ts", "mp4", "mpg", "flv"])
def test_flash_and_click_stay_together(tools: Tools, tmp_path: Path, ending: str, start: str) -> None:
    clip = tmp_path / f"clip.{ending}"
    more = ["-c:v", "mpeg2video", "-q:v", "2", "-c:a", "mp2"] if ending == "mpg" else []
    make(tools, clip, *START[start], *more)
    flashes, clicks = moments(tools, clip, tmp_path)
    # The first picture stands for the sound before it.
    assert flashes == pytest.approx([2, 4], abs=0.041)
    assert clicks == pytest.approx(flashes, abs=0.045)


def test_a_jump_of_the_clock_is_closed_for_both(tools: Tools, tmp_path: Path) -> None:
    """Two recordings in one file, the second an hour later."""
    parts = []
    for number, offset in enumerate((10, 3600)):
        parts.append(tmp_path / f"{number}.ts")
        make(tools, parts[-1], 0, 0, "-output_ts_offset", str(offset))
    clip = tmp_path / "jump.ts"
    clip.write_bytes(b"".join(part.read_bytes() for part in parts))
    flashes, clicks = moments(tools, clip, tmp_path)
    assert flashes == pytest.approx([2, 4, 7, 9], abs=0.1)
    assert clicks == pytest.approx(flashes, abs=0.06)


def test_sound_that_runs_slow_is_stretched(tools: Tools, tmp_path: Path) -> None:
    """By its time stamps it lasts 0.8 % longer than by its samples."""
    even, slow = tmp_path / "even.mkv", tmp_path / "slow.mkv"
    make(tools, even, 0, 0, "-c:a", "pcm_s16le")
    run_ffmpeg(tools, "-i", even, "-c", "copy", "-bsf:a", "setts=ts=TS*1.008", slow)
    _, clicks = moments(tools, slow, tmp_path)
    assert clicks == pytest.approx([2 * 1.008, 4 * 1.008], abs=0.015)


def test_a_stream_that_changes_its_channels_goes_on(tools: Tools, tmp_path: Path) -> None:
    """As broadcasts do between a programme and the news."""
    ac3 = []
    for number, layout in enumerate(("stereo", "5.1")):
        ac3.append(tmp_path / f"{number}.ac3")
        click = f"aevalsrc='between(t,1,1.04)*sin(2*PI*1000*t)*0.5':s={RATE}:d=2.016,aformat=channel_layouts={layout}"
        run_ffmpeg(tools, "-f", "lavfi", "-i", click, "-c:a", "ac3", "-b:a", "384k", ac3[-1])
    both, clip = tmp_path / "both.ac3", tmp_path / "change.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in ac3))
    pictures = ["-f", "lavfi", "-i", "color=black:s=64x64:r=25:d=4"]
    run_ffmpeg(tools, *pictures, "-i", both, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "copy", clip)
    _, clicks = moments(tools, clip, tmp_path)
    assert clicks == pytest.approx([1, 3.016], abs=0.03)
