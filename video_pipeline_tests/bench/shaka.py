"""Shaka Streamer with the rungs of our plan, driven by its own command and running our very programs.

What differs from ours, whatever the rungs: x264's preset is `slow`; an average bit rate in one pass, without a ceiling,
instead of a CRF under one; a key frame every 4 s and wherever x264 sees a cut, not every 2 s; "main" below 720 lines;
the sound is encoded by the same ffmpeg; no analysis, images, checks, index or release. Its command looks once a second
whether it is done. (https://github.com/shaka-project/shaka-streamer/blob/main/streamer/transcoder_node.py)
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.tools import Tools
from video_pipeline_tests.bench import bare

PRESET = "slow"
COMMAND = Path(sys.executable).with_name("shaka-streamer")


def prepare(tools: Tools, clip: Path, plan: EncodingPlan, rates: Mapping[str, int], root: Path) -> None:
    """Writes its configuration into `root`, and a directory with our programs.

    Args:
        rates: bit/s for each rung of H.264 by its name.
    """
    (root / "bin").mkdir(parents=True)
    for name in ("ffmpeg", "ffprobe", "packager"):
        (root / "bin" / name).symlink_to(getattr(tools, name))
    sound = next(iter(bare.heard(plan)), None)
    inputs = [{"name": str(clip.absolute()), "media_type": "video"}]
    if sound:
        inputs.append({"name": str(clip.absolute()), "media_type": "audio"})
    resolutions = {
        rung.name: {"max_width": rung.width, "max_height": rung.height, "bitrates": {"h264": str(rates[rung.name])}}
        for rung in plan.rungs
        if rung.family == "h264"
    }
    layout = {"max_channels": 2, "bitrates": {"aac": str(sound.bit_rate if sound else 128_000)}}
    surround = {"max_channels": 8, "bitrates": {"aac": "256k"}}
    pipeline = {
        "streaming_mode": "vod",
        "quiet": True,
        "resolutions": list(resolutions),
        "channel_layouts": ["stereo"],
        "segment_size": float(plan.segment / plan.rate),
        "segment_per_file": False,
    }
    # A source with more channels must fit into a layout, too.
    rated = {"video_resolutions": resolutions, "audio_channel_layouts": {"stereo": layout, "surround": surround}}
    _write(root, inputs={"inputs": inputs}, pipeline=pipeline, rates=rated)


def _write(root: Path, **configurations: Any) -> None:
    for name, content in configurations.items():
        (root / f"{name}.yaml").write_text(yaml.safe_dump(content))


def run(root: Path, out: Path, nice: int) -> None:
    """In `root`, which is prepared; the output goes to `out`, a new directory."""
    if not COMMAND.is_file():
        sys.exit(f"{COMMAND} is missing; `make dev` installs Shaka Streamer")
    argv = ["nice", "-n", str(nice), sys.executable, str(COMMAND), "--use-system-binaries", "-o", str(out)]
    argv += ["-i", str(root / "inputs.yaml"), "-p", str(root / "pipeline.yaml"), "-b", str(root / "rates.yaml")]
    environment = {**os.environ, "PATH": f"{root / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode or not (out / "hls.m3u8").is_file():
        sys.exit(f"Shaka Streamer failed: {done.stdout[-2000:]}\n{done.stderr[-2000:]}")
