"""The check that all renditions show the same pictures at the same times, from beginning to end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from video_pipeline.media import process
from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.tracks import TICK
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.decoding import KEYS, KEYS_ALONE
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import VideoRange

SIDE = 16
"""Pixels of both sides that pictures are compared at."""
MOST_OFF = 8.0
"""Of 255, the mean over a picture's luma."""
STALL_SECONDS = 120
_BYTES = SIDE * SIDE * 3 // 2


def same_pictures(tools: Tools, plan: EncodingPlan, readings: Sequence[Reading]) -> CheckResult:
    """Every key frame of every rendition, against the first one of the same range of light: chunks that were joined in
    another order have the right number of frames at the right times, and other pictures."""
    grid = np.arange(0, plan.frames, plan.gop) / float(plan.rate)
    ranges = {rung.name: plan.encoder(rung.family).video_range for rung in plan.rungs}
    there = [r for r in readings if r.name in ranges and _on(grid, r)]
    found = dict(zip((r.name for r in there), _key_frames(tools, [r.path for r in there]), strict=True))
    whole = {name: pictures for name, pictures in found.items() if len(pictures) == len(grid)}
    first: dict[VideoRange, str] = {}
    wrong: list[Problem] = [
        (name, f"{len(pictures)} of {len(grid)} key frames can be decoded alone")
        for name, pictures in found.items()
        if name not in whole
    ]
    for name, pictures in whole.items():
        other = first.setdefault(ranges[name], name)
        off = np.abs(pictures - whole[other]).mean(axis=(1, 2))
        odd = np.flatnonzero(off > MOST_OFF)
        if len(odd):
            where = f"from {grid[odd[0]]:.3f} s on, {len(odd)} of {len(grid)} key frames"
            wrong.append((name, f"{where} are other pictures than in {other}"))
    fine = f"{len(whole)} renditions show the same at {len(grid)} key frames"
    return verdict("same_pictures", wrong, fine)


def _on(grid: NDArray[np.float64], r: Reading) -> bool:
    """What is elsewhere is a matter of `key_frames`."""
    keys = r.times[r.keys]
    return r.is_video and len(keys) == len(grid) and bool(np.all(np.abs(keys - grid) <= float(TICK)))


def _key_frames(tools: Tools, paths: Sequence[Path]) -> list[NDArray[np.int16]]:
    """The luma of each file's key frames, small."""
    words = ["-vf", f"{KEYS},scale={SIDE}:{SIDE}:flags=area+accurate_rnd,format=yuv420p", "-fps_mode", "passthrough"]
    argvs: list[list[str | Path]] = [
        [tools.ffmpeg, "-v", "error", "-nostdin", *KEYS_ALONE, "-i", path, *words, "-f", "rawvideo", "-"]
        for path in paths
    ]
    done = process.run_all(argvs, nice=tools.nice, stall_seconds=STALL_SECONDS, check=False)
    return [_luma(one.stdout) for one in done]


def _luma(raw: bytes) -> NDArray[np.int16]:
    whole = len(raw) // _BYTES
    pictures = np.frombuffer(raw[: whole * _BYTES], np.uint8).reshape(whole, _BYTES)
    return pictures[:, : SIDE * SIDE].reshape(whole, SIDE, SIDE).astype(np.int16)
